import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { createBox, layBusybox } from './support/box.ts';
import type { Box, Caller } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

const USERNS = { kind: 'keep-id' } as const;
const IMAGE = { user: 'bob', workingDir: '/app' }; // keep-id goes before the image's user
const ROOTS = ['/', '/bin/busybox', '/etc/passwd', '/etc/hosts', '/dev', '/dev/shm', '/fast'];

/** A box with a folder `shared` that belongs to the caller and that nobody else may look into. */
function openBox(caller: Caller): { box: Box; ids: { uid: number; gid: number } } {
  const box = createBox(caller, [layImage]);
  const ids = idsOf(caller);
  mkdirSync(join(box.folder, 'shared'), { mode: 0o700 });
  writeFileSync(join(box.folder, 'shared/mine'), 'mine\n', { mode: 0o600 });
  for (const name of ['shared', 'shared/mine']) chownSync(join(box.folder, name), ids.uid, ids.gid);
  return { box, ids };
}

function layImage(tree: string): void {
  layBusybox(tree);
  mkdirSync(join(tree, 'app'));
  writeFileSync(join(tree, 'secret'), 'secret\n', { mode: 0o600 });
  chmodSync(join(tree, 'secret'), 0o600);
}

function idsOf(caller: Caller): { uid: number; gid: number } {
  if (caller === 'root') return { uid: 0, gid: 0 };
  const user = caller === 'mapped' ? SUBID_USER : PLAIN_USER;
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

for (const { caller, needs } of CALLERS) {
  describe(`runContainer() with keep-id as ${caller}`, needs, () => {
    let box: Box;
    let ids: { uid: number; gid: number };
    beforeAll(() => {
      ({ box, ids } = openBox(caller));
    });
    afterAll(() => box.remove());

    it('runs as the caller, whose files on the host are its own', async () => {
      const script = 'id -u; id -g; cat /v/mine; touch /v/made; stat -c %u:%g /v/mine /v/made';
      const options = { userns: USERNS, volumes: [`${box.folder}/shared:/v`] };
      const { stdout, stderr } = await box.run(['sh', '-c', script], { image: IMAGE, options });
      const owner = `${ids.uid}:${ids.gid}`;
      expect(stderr).toBe('');
      expect(stdout).toBe(`${ids.uid}\n${ids.gid}\nmine\n${owner}\n${owner}\n`);
      expect(statSync(join(box.folder, 'shared/made'))).toMatchObject(ids);
    });

    it('X02 has no capability unless it is root', async () => {
      const { stdout } = await box.run(['sh', '-c', 'grep Cap /proc/self/status'], { options: { userns: USERNS } });
      const own = caller === 'root' ? '00000000a80425fb' : '0000000000000000';
      const sets = { CapInh: '0000000000000000', CapPrm: own, CapEff: own, CapBnd: '00000000a80425fb' };
      for (const [name, set] of Object.entries(sets)) expect(stdout).toContain(`${name}:\t${set}\n`);
    });

    it('X01 is in a user namespace of its own', async () => {
      const { stdout } = await box.run(['readlink', '/proc/self/ns/user'], { options: { userns: USERNS } });
      expect(stdout).toMatch(/^user:\[\d+\]\n$/);
      expect(stdout).not.toBe('user:[4026531837]\n');
    });

    it('leaves nothing behind', async () => {
      const options = { userns: USERNS, autoRemove: true };
      const { exitCode, id = '' } = await box.run(['sh', '-c', 'echo x > /tmp/x'], { options });
      expect(exitCode).toBe(0);
      expect(statSync(join(box.paths.containers, id), { throwIfNoEntry: false })).toBeUndefined();
      expect(execFileSync('ls', [box.paths.trash], { encoding: 'utf8' })).toBe('');
    });
  });
}

for (const { caller, needs } of CALLERS.filter(({ caller: one }) => one === 'mapped')) {
  describe(`runContainer() with keep-id as ${caller}`, needs, () => {
    let box: Box;
    let ids: { uid: number; gid: number };
    beforeAll(() => {
      ({ box, ids } = openBox(caller));
    });
    afterAll(() => box.remove());

    it('shows what the image and the engine made as root’s, which the caller is not', async () => {
      const settings = { image: IMAGE, options: { userns: USERNS, tmpfs: ['/fast'] } };
      const script = `stat -c "%u:%g %n" ${ROOTS.join(' ')}; cat /secret; echo x >> /etc/hosts`;
      const { stdout, stderr } = await box.run(['sh', '-c', script], settings);
      expect(stdout.trim().split('\n')).toEqual(ROOTS.map((path) => `0:0 ${path}`));
      expect(stderr.match(/Permission denied/gi)).toHaveLength(2);
    });

    it('lets --user be root of the container, who is nobody on the host', async () => {
      const options = { userns: USERNS, user: '0', volumes: [`${box.folder}/shared:/v`] };
      const script =
        'id -u; echo $HOME; cat /secret; touch /v/roots /made; chown 5:5 /made; stat -c %u:%g /v/roots /made';
      const { stdout, stderr } = await box.run(['sh', '-c', script], { options });
      expect(stderr).toBe('');
      expect(stdout).toBe('0\n/root\nsecret\n0:0\n5:5\n');
      expect(statSync(join(box.folder, 'shared/roots')).uid).toBeGreaterThanOrEqual(65_536);
    });

    it('knows the caller by name, at home in the working folder', async () => {
      const script = 'id -un; id -gn; echo $HOME; tail -n1 /etc/passwd; tail -n1 /etc/group';
      const { stdout } = await box.run(['sh', '-c', script], { image: IMAGE, options: { userns: USERNS } });
      const [name, { uid, gid }] = [SUBID_USER, ids];
      expect(stdout).toBe(
        `${name}\n${name}\n/app\n${name}:*:${uid}:${gid}:${name}:/app:/bin/sh\n${name}:x:${gid}:${name}\n`,
      );
    });

    it('knows it also under --read-only, and in a terminal, which is its own', async () => {
      const script = 'id -un; test -O /dev/console && echo own; tty; touch /x';
      const options = { userns: USERNS, readOnlyRoot: true, terminal: true };
      const { stdout } = await box.run(['sh', '-c', script], { options });
      expect(stdout.replaceAll('\r', '')).toBe(`${SUBID_USER}\nown\n/dev/console\ntouch: /x: Read-only file system\n`);
    });

    it('takes other numbers, also where the image has them', async () => {
      const options = { userns: { ...USERNS, uid: 1000, gid: 1000 }, volumes: [`${box.folder}/shared:/v`] };
      const { stdout } = await box.run(['sh', '-c', 'id -un; echo $HOME; cat /v/mine'], { options });
      expect(stdout).toBe('bob\n/home/bob\nmine\n');
    });

    it('takes a number beyond the subordinate ids', async () => {
      const options = { userns: { ...USERNS, uid: 70_000, gid: 80_000 } };
      const { stdout } = await box.run(['sh', '-c', 'id -u; id -g; stat -c %u:%g /bin'], { options });
      expect(stdout).toBe('70000\n80000\n0:0\n');
    });
  });
}

for (const { caller, needs } of CALLERS.filter(({ caller: one }) => one === 'single')) {
  describe(`runContainer() with keep-id as ${caller}`, needs, () => {
    let box: Box;
    beforeAll(() => {
      ({ box } = openBox(caller));
    });
    afterAll(() => box.remove());

    it('has no other user, and says so', async () => {
      const { uid } = idsOf(caller);
      const { stdout } = await box.run(['stat', '-c', '%u', '/bin'], { options: { userns: USERNS } });
      expect(stdout).toBe(`${uid}\n`);
      const { failure } = await box.run(['true'], { options: { userns: USERNS, user: '0' } });
      expect(failure).toMatchObject({
        code: 'ERR_HOST',
        message: "Cannot run as user 0: it does not exist in the container's user namespace",
        hint: expect.stringMatching(new RegExp(`/etc/subuid.*--user ${uid}$`)) as string,
      });
    });
  });
}
