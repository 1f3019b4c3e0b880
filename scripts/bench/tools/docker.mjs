import { join } from 'node:path';

import { versionOf } from '../find-program.mjs';
import { timeCommand } from '../measure.mjs';
import { startDaemon } from '../workspace.mjs';

/** A daemon of its own, on a private socket, that touches neither the firewall nor bridges. */
export const docker = {
  name: 'docker',
  version: () => versionOf('docker', 'dockerd'),
  open: async (workspace) => {
    const folder = workspace.makeFolder('docker');
    const socket = `unix://${join(folder, 'socket')}`;
    const command = (...args) => ({ argv: ['docker', '-H', socket, ...args], env: { DOCKER_CONFIG: folder } });
    const isReady = async () => timeCommand(command('info')).then(() => true, () => false); // prettier-ignore
    const argv = ['dockerd', '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '-H', socket];
    const rest = ['--pidfile', join(folder, 'pid'), '--iptables=false', '--ip6tables=false', '--bridge=none'];
    const daemon = await startDaemon(workspace, [...argv, ...rest], isReady);
    return {
      command,
      daemons: [daemon],
      pull: (image) => command('pull', '-q', image),
      run: (image) => command('run', '--rm', '--network', 'none', image, '/bin/true'),
      reset: async (image) => timeCommand(command('rmi', '-f', image)),
    };
  },
};
