import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { SUBID_USER } from '../../support/test-users.ts';
import { wrongBlobs } from '../../store/open-test-store.ts';
import type { CliHome } from '../support/cli-home.ts';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS } from './faulty-run.ts';
import { succeed } from './operations.ts';
import { openHome } from './sweep.ts';

let images: FaultRegistry;

/** Mounts something over the folder of the store. */
type MountStore = (home: CliHome) => void;

const onOverlay: MountStore = (home) => {
  const at = (name: string): string => join(home.folder, name);
  for (const name of ['lower', 'upper', 'work']) mkdirSync(at(name));
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', home.store]);
};
const noexec: MountStore = ({ store }) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', store]);
const nodev: MountStore = ({ store }) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'nodev,nosuid', 'tmpfs', store]);
const ramfs: MountStore = ({ store }) => execFileSync('mount', ['-t', 'ramfs', 'ramfs', store]);

describe('a store on a file system that lacks something', requires(...FAULT_NEEDS), () => {
  beforeAll(async () => void (images = await startFaultRegistry()));
  afterAll(async () => images.close());

  it.each(
    [
      { what: 'an overlay, which no other overlay can be written to', mountStore: onOverlay },
      { what: 'one mounted noexec', mountStore: noexec },
      { what: 'one mounted nodev and nosuid', mountStore: nodev },
      { what: 'ramfs, which has no extended attributes', mountStore: ramfs },
    ].flatMap((each) => [undefined, SUBID_USER].map((user) => ({ ...each, user, who: user ?? 'root' }))),
  )('S27 $what, as $who: works in another way, or says what is missing', async ({ mountStore, user }) => {
    const home = openHome(user);
    mkdirSync(home.store);
    mountStore(home);
    onTestFinished(() => void execFileSync('umount', ['--lazy', home.store]));
    execFileSync('chown', [`${home.uid}:${home.gid}`, home.store]);
    execFileSync('chmod', ['700', home.store]);
    const pulled = await home.mydocker(['pull', '-q', images.v1]);
    expect(wrongBlobs(home.store)).toEqual([]);
    if (pulled.code !== 0) {
      expect(pulled.stderr).toMatch(/^Error: Cannot [^\n]+: [^\n]+\n/);
      expect(await succeed(home, ['images', '-q'])).toBe('');
      return;
    }
    const ran = await home.mydocker(['run', '--rm', images.v1, 'sh', '-c', 'cat /data/owned; [ ! -e /old ]']);
    expect(ran).toEqual({ code: 0, stdout: 'owned', stderr: '' });
    await succeed(home, ['rmi', images.v1]);
  });
});
