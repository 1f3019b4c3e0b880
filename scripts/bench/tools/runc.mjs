import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { versionOf } from '../find-program.mjs';
import { layRootFileSystem } from '../lay-root-file-system.mjs';

/** The runtime alone, on a root file system that is there already. */
export const runc = {
  name: 'runc alone',
  version: () => versionOf('runc'),
  open: async (workspace) => {
    const folder = workspace.makeFolder('runc');
    layRootFileSystem(join(folder, 'rootfs'));
    execFileSync('runc', ['spec'], { cwd: folder });
    const path = join(folder, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    config.process = { ...config.process, terminal: false, args: ['/bin/true'] };
    writeFileSync(path, JSON.stringify(config));
    const roots = ['--root', join(folder, 'state')];
    let count = 0;
    return {
      run: () => ({ argv: ['runc', ...roots, 'run', '--bundle', folder, `bench-${(count += 1)}`] }),
    };
  },
};
