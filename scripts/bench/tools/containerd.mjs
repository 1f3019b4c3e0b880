import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { versionOf } from '../find-program.mjs';
import { timeCommand } from '../measure.mjs';
import { startDaemon } from '../workspace.mjs';

/** containerd with its own client, ctr. */
export const containerd = {
  name: 'containerd',
  version: () => versionOf('containerd', 'ctr'),
  open: async (workspace) => {
    const folder = workspace.makeFolder('containerd');
    const socket = join(folder, 'socket');
    const config = join(folder, 'config.toml');
    writeFileSync(
      config,
      `version = 2\nroot = "${folder}/root"\nstate = "${folder}/state"\n[grpc]\naddress = "${socket}"\n`,
    );
    const command = (...args) => ({ argv: ['ctr', '--address', socket, ...args] });
    const isReady = async () => timeCommand(command('version')).then(() => true, () => false); // prettier-ignore
    const daemon = await startDaemon(workspace, ['containerd', '--config', config], isReady);
    let count = 0;
    return {
      command,
      daemons: [daemon],
      pull: (image) => command('images', 'pull', '--plain-http', image),
      run: (image) => command('run', '--rm', image, `bench-${(count += 1)}`, '/bin/true'),
      reset: async (image) => timeCommand(command('images', 'rm', '--sync', image)),
    };
  },
};
