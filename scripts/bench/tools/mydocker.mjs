import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { versionOf } from '../find-program.mjs';

const PROGRAM = fileURLToPath(new URL('../../../dist/bin/mydocker.cjs', import.meta.url));

export const mydocker = {
  name: 'mydocker',
  version: () => `this commit, ${versionOf('node')}`,
  open: async (workspace) => open(workspace, 'mydocker', []),
};

/** As an ordinary user with subordinate ids, whom scripts/install-test-deps.sh makes. */
export const mydockerRootless = {
  name: 'mydocker, rootless',
  version: () => (idOf('-u') === undefined ? undefined : `this commit, ${versionOf('node')}`),
  open: async (workspace) => {
    const become = ['setpriv', `--reuid=${idOf('-u')}`, `--regid=${idOf('-g')}`, '--clear-groups', '--'];
    return open(workspace, 'mydocker-rootless', become, { uid: Number(idOf('-u')), gid: Number(idOf('-g')) });
  },
};

const USER = 'mydocker-subid';

function idOf(which) {
  try {
    return execFileSync('id', [which, USER], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function open(workspace, folder, become, owner) {
  const makeHome = () => {
    const home = workspace.makeFolder(folder);
    if (owner !== undefined) chownSync(home, owner.uid, owner.gid);
    return home;
  };
  const home = makeHome();
  const env = { MYDOCKER_HOME: join(home, 'store'), HOME: home };
  const command = (...args) => ({ argv: [...become, PROGRAM, ...args], env, cwd: '/' });
  return {
    home: env.MYDOCKER_HOME,
    command,
    pull: (image) => command('pull', '-q', image),
    run: (image) => command('run', '--rm', '--network', 'none', image, '/bin/true'),
    reset: async () => void makeHome(),
  };
}
