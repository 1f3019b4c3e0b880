import { join } from 'node:path';

import { versionOf } from '../find-program.mjs';
import { timeCommand } from '../measure.mjs';

// It asks for more open files and processes than a machine without CAP_SYS_RESOURCE can give.
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

export const podman = {
  name: 'podman',
  version: () => versionOf('podman'),
  open: async (workspace) => {
    const folder = workspace.makeFolder('podman');
    const roots = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')];
    const settings = ['--storage-driver', 'overlay', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    const command = (...args) => ({ argv: ['podman', ...roots, ...settings, '--runtime', 'runc', ...args] });
    return {
      command,
      pull: (image) => command('pull', '-q', '--tls-verify=false', image),
      run: (image) => command('run', '--rm', '--network', 'none', ...LIMITS, image, '/bin/true'),
      reset: async (image) => timeCommand(command('rmi', '-f', image)),
    };
  },
};
