import { join } from 'node:path';

import { versionOf } from '../find-program.mjs';
import { layRootFileSystem } from '../lay-root-file-system.mjs';

/** The least that a container can be: namespaces and a few mounts. */
export const bubblewrap = {
  name: 'bubblewrap alone',
  version: () => versionOf('bwrap'),
  open: async (workspace) => {
    const root = join(workspace.makeFolder('bubblewrap'), 'rootfs');
    layRootFileSystem(root);
    const mounts = ['--bind', root, '/', '--proc', '/proc', '--dev', '/dev'];
    return {
      run: () => ({
        argv: ['bwrap', ...mounts, '--unshare-pid', '--unshare-uts', '--unshare-ipc', '--unshare-net', '/bin/true'],
      }),
    };
  },
};
