import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { archive, file, folder, hardlink, pax, rawEntry, symlink, whiteout } from '../support/tar/raw-tar.ts';
import { PLAIN_USER, SUBID_USER } from '../support/test-users.ts';
import { bundle } from './support/bundle.ts';
import { readTree } from './support/read-tree.ts';
import { readManifest } from './support/workspace.ts';

const TIME = 1_700_000_000;
const CAPABILITY = Buffer.from('0100000280000000000000000000000000000000', 'hex').toString('latin1');
const ATTRIBUTES = [
  file('f', 'x', { mode: 0o4755, uid: 3, gid: 4 }),
  folder('d', { mode: 0o2750, uid: 3, gid: 4 }),
  file('d/g', 'x', { mode: 0 }),
  folder('locked', { mode: 0 }),
  file('locked/g', 'x'),
  symlink('s', 'f', { uid: 3 }),
  hardlink('h', 'd/g'),
  rawEntry({ name: 'p', type: '6', gid: 4 }),
  rawEntry({ name: 'c', type: '3', deviceMajor: 1, deviceMinor: 3 }),
  pax({ 'SCHILY.xattr.user.a': 'v', 'SCHILY.xattr.security.capability': CAPABILITY }),
  file('x'),
];

describe('unpackLayer() with subordinate ids', requires('ordinary-users'), () => {
  const start = (): number =>
    Number(/^mydocker-subid:(\d+):/m.exec(execFileSync('cat', ['/etc/subuid'], { encoding: 'utf8' }))?.[1]);
  const id = (inside: number): number => (inside === 0 ? idsOf(SUBID_USER).uid : start() + inside - 1);

  it('gives each owner its id of the range', async () => {
    const user = openUserPlace(SUBID_USER);
    const { result, tree } = await user.unpack(archive(...ATTRIBUTES));
    const own = `${id(0)}:${id(0)}`;
    expect(tree).toMatchObject({
      d: `D 2750 ${id(3)}:${id(4)} ${TIME}`,
      'd/g': `F 0000 ${own} ${TIME} "x" #1`,
      f: `F 4755 ${id(3)}:${id(4)} ${TIME} "x"`,
      h: `F 0000 ${own} ${TIME} "x" #1`,
      locked: `D 0000 ${own} ${TIME}`,
      'locked/g': `F 0644 ${own} ${TIME} "x"`,
      p: `P 0644 ${id(0)}:${id(4)} ${TIME}`,
      s: `S 0777 ${id(3)}:${id(0)} ${TIME} -> f`,
    });
    expect(Object.keys(tree)).not.toContain('c');
    expect(result).toMatchObject({
      entries: 10,
      warnings: ['left out a device, which a container could not use: "c"'],
    });
  });

  it('L57: file capabilities hold in the user namespace', async () => {
    const user = openUserPlace(SUBID_USER);
    const { tree } = await user.unpack(archive(...ATTRIBUTES));
    // The kernel has made revision 3 of it, with the user's own id as the root that it is for.
    expect(tree['x']).toMatch(/ user\.a=v$/);
    expect(tree['x']).toContain('security.capability=\x01\0\0\x03\x80');
  });

  it('L54: an owner outside of the range is refused with a hint', async () => {
    const { result } = await openUserPlace(SUBID_USER).unpack(archive(file('f', 'x', { uid: 65_537 })));
    expect(result).toMatchObject({
      code: 'ERR_LAYER',
      message: expect.stringMatching(
        /entry 0, "f": its user id 65537 is outside of the range of subordinate ids/,
      ) as string,
      hint: expect.stringMatching(/\/etc\/subuid/) as string,
    });
  });

  it('makes whiteouts and opaque folders in the form of a user namespace', async () => {
    const user = openUserPlace(SUBID_USER);
    await user.unpack(archive(folder('d', { uid: 3, mode: 0o700 }), file('d/old'), file('gone')));
    const { tree } = await user.unpack(archive(whiteout('.wh.gone'), whiteout('d/.wh..wh..opq'), file('d/new')));
    expect(tree['gone']).toMatch(/^W /);
    expect(tree['d']).toBe(`D 0700 ${id(3)}:${id(0)} ${TIME} user.overlay.opaque=y`);
  });
});

describe('unpackLayer() on 126 layers', requires('ordinary-users'), () => {
  it.each([SUBID_USER, PLAIN_USER])('C03: as %s', async (name) => {
    const user = openUserPlace(name);
    user.addLowers(126);
    const { result, tree } = await user.unpack(archive(file('d/new')));
    expect(result).toMatchObject({ entries: 1 });
    expect(tree['d']).toMatch(/^D 0711 /); // as in the lowest
  });
});

describe('unpackLayer() with a single id', requires('ordinary-users'), () => {
  it('shows everything as root, and records whose it is', async () => {
    const user = openUserPlace(PLAIN_USER);
    const { tree, result, manifest } = await user.unpack(archive(...ATTRIBUTES, file('far', 'x', { uid: 65_537 })));
    const { uid, gid } = idsOf(PLAIN_USER);
    expect(result).toMatchObject({ entries: 11 });
    expect(Object.values(tree).every((line) => line.includes(` ${uid}:${gid} `))).toBe(true);
    expect(tree).toMatchObject({
      f: `F 4755 ${uid}:${gid} ${TIME} "x"`,
      d: `D 2750 ${uid}:${gid} ${TIME}`,
      locked: `D 0000 ${uid}:${gid} ${TIME}`,
    });
    expect(manifest).toContainEqual(expect.objectContaining({ path: 'f', uid: 3, gid: 4, mode: 0o4755 }));
    expect(manifest).toContainEqual(expect.objectContaining({ path: 'far', uid: 65_537 }));
    expect(manifest).toContainEqual(expect.objectContaining({ path: 'd', uid: 3, gid: 4 }));
  });

  it('L38, L79: uses the layers below', async () => {
    const user = openUserPlace(PLAIN_USER);
    await user.unpack(archive(folder('tmp', { mode: 0o1777 }), file('a', 'x', { mode: 0, uid: 5 })));
    const { tree } = await user.unpack(archive(file('tmp/x'), hardlink('b', 'a')));
    const { uid, gid } = idsOf(PLAIN_USER);
    expect(tree).toMatchObject({ tmp: `D 1777 ${uid}:${gid} ${TIME}`, b: `F 0000 ${uid}:${gid} ${TIME} "x" #1` });
  });

  it('L55: ids that are none are refused all the same', async () => {
    const { result } = await openUserPlace(PLAIN_USER).unpack(archive(pax({ uid: 4294967295 }), file('f')));
    expect(result).toMatchObject({ code: 'ERR_LAYER' });
  });

  it('a leading .. is refused, and nothing beside the layer changes', async () => {
    const { result, place } = await openUserPlace(PLAIN_USER).unpack(
      archive(symlink('l', '../..'), file('l/l/escaped'), file('../x')),
    );
    expect(result).toMatchObject({
      code: 'ERR_LAYER',
      message: expect.stringMatching(/leads out of the root/) as string,
    });
    expect(existsSync(join(place, 'escaped')) || existsSync(join(place, '..', 'escaped'))).toBe(false);
  });
});

interface UserPlace {
  /** Puts layers below that have nothing, but for the lowest, which has the folder `d`. */
  addLowers(count: number): void;
  /** Unpacks on top of what was unpacked before. */
  unpack(tar: Buffer): Promise<{ result: object; tree: Record<string, string>; manifest: object[]; place: string }>;
}

function openUserPlace(user: string): UserPlace {
  const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mydocker-rootless-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const { uid, gid } = idsOf(user);
  chownSync(base, uid, gid);
  const lowers: string[] = [];
  return {
    addLowers(count) {
      for (let index = 0; index < count; index += 1) {
        const lower = join(base, `lower-${index}`);
        mkdirSync(lower);
        chownSync(lower, uid, gid);
        lowers.push(lower);
      }
      const folder = join(base, 'lower-0', 'd');
      mkdirSync(folder, { mode: 0o711 });
      chownSync(folder, uid, gid);
    },
    async unpack(tar) {
      const place = join(base, String(lowers.length));
      for (const path of [place, join(place, 'root')]) {
        mkdirSync(path, { mode: 0o755 });
        chownSync(path, uid, gid);
      }
      const input = {
        blob: tar.toString('base64'),
        diffId: digestOf(tar),
        childPath: await bundle('src/layer/unpack-child.ts'),
        lowers,
      };
      const program = await bundle('test/layer/support/unpack-program.ts');
      const { stdout } = spawnSync(process.execPath, [program, place], {
        input: JSON.stringify(input),
        uid,
        gid,
        encoding: 'utf8',
        env: {},
      });
      lowers.push(join(place, 'root'));
      const manifestPath = join(place, 'manifest');
      const manifest = existsSync(manifestPath) ? readManifest(manifestPath) : [];
      return { result: JSON.parse(stdout) as object, tree: readTree(join(place, 'root')), manifest, place };
    },
  };
}

function idsOf(user: string): { uid: number; gid: number } {
  const [, , uid, gid] = execFileSync('getent', ['passwd', user], { encoding: 'utf8' }).split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
