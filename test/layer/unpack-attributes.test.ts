import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { archive, base256, file, folder, hardlink, octal, pax, rawEntry, symlink } from '../support/tar/raw-tar.ts';
import { bundle } from './support/bundle.ts';
import { openWorkspace } from './support/workspace.ts';

const TIME = 1_700_000_000;

describe('unpackLayer() devices and pipes', requires('root'), () => {
  const [charDevice, blockDevice] = ['3', '4'].map(
    (type) => (name: string) => rawEntry({ name, type, mode: 0o660, deviceMajor: 8, deviceMinor: 1, uid: 5 }),
  ) as [(name: string) => Buffer, (name: string) => Buffer];

  it('B11, L43: leaves devices out, with a warning for each, and names of them too', async () => {
    const tar = archive(charDevice('c'), folder('d'), blockDevice('d/b'), hardlink('d/h', 'd/b'), file('f'));
    const { tree, warnings } = await openWorkspace().unpack(tar);
    expect(tree).toEqual({ d: `D 0755 0:0 ${TIME}`, f: `F 0644 0:0 ${TIME} "x"` });
    expect(warnings).toEqual(
      ['c', 'd/b', 'd/h'].map((name) => `left out a device, which a container could not use: "${name}"`),
    );
  });

  it('L43: what a device replaces is gone, and what replaces a device is there', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(archive(file('a'), file('b/in'), file('c'), folder('d'), file('d/e')));
    const entries = [
      file('own'),
      ...['a', 'b', 'c', 'own', 'new', 'd/e', 'x/y'].map((name) => charDevice(name)),
      file('c', 'later'),
      symlink('x', 'd'),
    ];
    const { tree } = await workspace.unpack(archive(...entries), { lowers: [lower.root] });
    expect(tree).toEqual({
      a: expect.stringMatching(/^W/) as string,
      b: expect.stringMatching(/^W/) as string,
      c: `F 0644 0:0 ${TIME} "later"`,
      d: `D 0755 0:0 ${TIME}`,
      'd/e': expect.stringMatching(/^W/) as string,
      x: `S 0777 0:0 ${TIME} -> d`,
    });
  });

  it('L43: a file of the layers below may have got another name before a device replaces it', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(archive(file('a')));
    const { tree } = await workspace.unpack(archive(hardlink('b', 'a'), charDevice('a')), { lowers: [lower.root] });
    expect(tree).toEqual({ a: expect.stringMatching(/^W/) as string, b: `F 0644 0:0 ${TIME} "x"` });
  });

  it('L46: makes pipes', async () => {
    const pipe = rawEntry({ name: 'p', type: '6', mode: 0o4622, uid: 5, gid: 6, mtime: 5 });
    expect(await openWorkspace().unpack(archive(pipe, hardlink('h', 'p')))).toMatchObject({
      tree: { h: 'P 4622 5:6 5 #1', p: 'P 4622 5:6 5 #1' },
      warnings: [],
    });
  });

  it.each([
    ['L44: 0:0, which would hide a file', { type: '3', deviceMajor: 0, deviceMinor: 0 }, /hides a file/],
    ['L45: -1', { type: '3', fields: { deviceMajor: base256(-1n, 8) } }, /not valid/],
    ['L45: 2^32', { type: '3', fields: { deviceMajor: base256(2n ** 32n, 8) } }, /not valid/],
    ['L45: a minor number of 2^20', { type: '4', deviceMajor: 1, deviceMinor: 2 ** 20 }, /not valid/],
    ['L45: a major number that would become 0:0', { type: '3', deviceMajor: 4096, deviceMinor: 0 }, /not valid/],
  ])('%s is refused', async (_, entry, reason) => {
    const error = await openWorkspace().refuse(archive(rawEntry({ name: 'etc/passwd', ...entry })));
    expect(error).toMatchObject({ code: 'ERR_LAYER', message: expect.stringMatching(reason) as string });
  });
});

describe('unpackLayer() modes, owners and times', requires('root'), () => {
  it.each([
    ['L48: all bits of a file', file('f', 'x', { mode: 0o7777, uid: 5, gid: 6 }), 'F 7777 5:6'],
    ['L48: set-user-id of another owner', file('f', 'x', { mode: 0o4755, uid: 5 }), 'F 4755 5:0'],
    [
      'L48: set-group-id of a file that its group may not execute',
      file('f', 'x', { mode: 0o2644, gid: 5 }),
      'F 2644 0:5',
    ],
    ['L48: all bits of a folder', folder('f', { mode: 0o7777, uid: 5, gid: 6 }), 'D 7777 5:6'],
    ['L49: mode 0', file('f', 'x', { mode: 0 }), 'F 0000 0:0'],
    ['L49: with type bits', file('f', 'x', { mode: 0o100644 }), 'F 0644 0:0'],
    ['L49: beyond 7777', file('f', 'x', { fields: { mode: octal(0o7770644, 8) } }), 'F 0644 0:0'],
    ['the umask does not matter', file('f', 'x', { mode: 0o666 }), 'F 0666 0:0'],
    ['L54: 2147483653', file('f', 'x', { fields: { uid: base256(2147483653n, 8) } }), 'F 0644 2147483653:0'],
    ['L54: 4294967294', file('f', 'x', { fields: { gid: base256(4294967294n, 8) } }), 'F 0644 0:4294967294'],
    ['G9: of PAX', Buffer.concat([pax({ uid: 3_000_000, gid: 4 }), file('f')]), 'F 0644 3000000:4'],
  ])('%s', async (_, entry, expected) => {
    const { tree } = await openWorkspace().unpack(archive(entry));
    expect(tree['f']).toMatch(expected);
  });

  it.each([
    ['L55: 4294967295, which means "no change"', pax({ uid: 4294967295 })],
    ['L55: 4294967296, which would become 0', pax({ gid: 4294967296 })],
    ['L55: beyond 2^53', pax({ gid: '9007199254740993' })],
  ])('%s is refused', async (_, header) => {
    for (const entry of [file('f'), folder('f'), symlink('f', 'x'), rawEntry({ name: 'f', type: '6' })]) {
      const error = await openWorkspace().refuse(archive(header, entry));
      expect(error).toMatchObject({
        code: 'ERR_LAYER',
        message: expect.stringMatching(/id \d+ is not a valid one/) as string,
      });
    }
  });

  it('L55: -1 is refused', async () => {
    const error = await openWorkspace().refuse(archive(file('f', 'x', { fields: { uid: base256(-1n, 8) } })));
    expect(error.message).toMatch(/user id -1 is not a valid one/);
  });

  it.each([
    ['keeps nanoseconds', '1700000000.123456789', 1_700_000_000_123_456_789n],
    ['-1 becomes 1970', '-1', 0n],
    ['-1.5 becomes 1970', '-1.5', 0n],
    ['2^33 is kept', String(2 ** 33), BigInt(2 ** 33) * 1_000_000_000n],
    ['2^62 becomes the last second of 34 bits', String(2n ** 62n), BigInt(2 ** 34 - 1) * 1_000_000_000n],
  ])('L56: %s', async (_, mtime, expected) => {
    const header = pax({ mtime });
    const { root } = await openWorkspace().unpack(
      archive(
        header,
        file('f'),
        header,
        folder('d'),
        header,
        symlink('s', 'x'),
        header,
        rawEntry({ name: 'p', type: '6' }),
      ),
    );
    for (const name of ['f', 'd', 's', 'p'])
      expect(lstatSync(join(root, name), { bigint: true }).mtimeNs).toBe(expected);
  });
});

describe('unpackLayer() sparse files', requires('root'), () => {
  it('L50, L52: leaves holes', async () => {
    const mib = 1024 * 1024;
    const records = { 'GNU.sparse.numblocks': 2, 'GNU.sparse.map': `0,3,${64 * mib},4`, 'GNU.sparse.size': 128 * mib };
    const { root, tree } = await openWorkspace().unpack(archive(pax(records), file('f', 'abcdefg')));
    const { size, blocks } = statSync(join(root, 'f'));
    expect(size).toBe(128 * mib);
    expect(blocks * 512).toBeLessThan(mib);
    expect(tree['f']).toMatch(/^F .*"abc/);
  });

  it('L53, L70: counts the holes', async () => {
    const records = { 'GNU.sparse.numblocks': 1, 'GNU.sparse.map': '0,1', 'GNU.sparse.size': 2 ** 40 };
    const error = await openWorkspace().refuse(archive(pax(records), file('f', 'a')), { limits: { bytes: 2 ** 30 } });
    expect(error.code).toBe('ERR_LIMIT');
  });
});

const CAP_SETUID = Buffer.from('0100000280000000000000000000000000000000', 'hex').toString('latin1'); // has a byte of 0x80
const CAP_V3 = Buffer.from('010000038000000000000000000000000000000000000000', 'hex').toString('latin1');

function withXattrs(xattrs: Record<string, string>): Buffer {
  return pax(Object.entries(xattrs).map(([name, value]) => [`SCHILY.xattr.${name}`, value] as const));
}

describe('unpackLayer() extended attributes', requires('root'), () => {
  it('L57: keeps file capabilities exactly, set-user-id and another owner notwithstanding', async () => {
    const header = withXattrs({ 'security.capability': CAP_SETUID });
    const { tree, warnings } = await openWorkspace().unpack(archive(header, file('f', 'x', { mode: 0o4755, uid: 5 })));
    expect(tree).toEqual({ f: `F 4755 5:0 ${TIME} "x" security.capability=${CAP_SETUID}` });
    expect(warnings).toEqual([]);
  });

  it('L57: takes capabilities of revision 3', async () => {
    const { tree } = await openWorkspace().unpack(archive(withXattrs({ 'security.capability': CAP_V3 }), file('f')));
    expect(tree['f']).toContain('security.capability=');
  });

  it.each([
    ['L57: capabilities of a wrong length', { 'security.capability': CAP_SETUID.slice(1) }],
    [
      'L57: capabilities of an unknown revision',
      { 'security.capability': `${CAP_SETUID.slice(0, 3)}\x09${CAP_SETUID.slice(4)}` },
    ],
    ['B12, L58: trusted.overlay.opaque', { 'trusted.overlay.opaque': 'y' }],
    ['B12, L58: trusted.overlay.redirect', { 'trusted.overlay.redirect': '/etc' }],
    ['B12, L58: trusted.overlay.metacopy', { 'trusted.overlay.metacopy': 'x' }],
    ['B12, L58: user.overlay.opaque', { 'user.overlay.opaque': 'y' }],
    ['B12, L58: user.overlay.origin', { 'user.overlay.origin': 'x' }],
    ['L59: security.selinux', { 'security.selinux': 'system_u:object_r:bin_t:s0' }],
    ['L59: security.ima', { 'security.ima': 'x' }],
    ['L59: system.posix_acl_access', { 'system.posix_acl_access': 'x' }],
    ['L59: system.nfs4_acl', { 'system.nfs4_acl': 'x' }],
    ['L59: user.containers.override_stat', { 'user.containers.override_stat': '0:0:0755' }],
    ['L59: user.fuseoverlayfs.opaque', { 'user.fuseoverlayfs.opaque': 'y' }],
  ])('%s is left out, with one warning', async (_, xattrs) => {
    const header = withXattrs(xattrs);
    const { tree, warnings } = await openWorkspace().unpack(archive(header, file('f'), header, file('g')));
    expect(tree).toEqual({ f: `F 0644 0:0 ${TIME} "x"`, g: `F 0644 0:0 ${TIME} "x"` });
    expect(warnings).toEqual([`left out an extended attribute that layers cannot have: "${Object.keys(xattrs)[0]}"`]);
  });

  it('L60: user.* on files and folders, and nowhere else', async () => {
    const header = withXattrs({ 'user.foo': 'b\0r' });
    const entries = [
      header,
      file('f'),
      header,
      folder('d'),
      header,
      symlink('s', 'f'),
      header,
      rawEntry({ name: 'p', type: '6' }),
    ];
    const { tree, warnings } = await openWorkspace().unpack(archive(...entries));
    expect(tree).toEqual({
      d: `D 0755 0:0 ${TIME} user.foo=b\0r`,
      f: `F 0644 0:0 ${TIME} "x" user.foo=b\0r`,
      p: `P 0644 0:0 ${TIME}`,
      s: `S 0777 0:0 ${TIME} -> f`,
    });
    expect(warnings).toEqual([]);
  });

  it('L60: a folder that comes twice has the attributes of the last', async () => {
    const { tree } = await openWorkspace().unpack(
      archive(withXattrs({ 'user.a': '1' }), folder('d'), withXattrs({ 'user.b': '2' }), folder('d')),
    );
    expect(tree).toEqual({ d: `D 0755 0:0 ${TIME} user.b=2` });
  });

  it.each([
    ['a value of 64 KiB', { 'user.foo': 'v'.repeat(65_536) }],
    ['10,000 of them', Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`user.${index}`, 'v']))],
  ])('L60: %s is refused', async (_, xattrs) => {
    const error = await openWorkspace().refuse(archive(withXattrs(xattrs), file('f')));
    expect(error).toMatchObject({
      code: 'ERR_LAYER',
      message: expect.stringMatching(/more than 65536 bytes/) as string,
    });
  });

  it('L60: on a file system that has none they are left out, with one warning', async () => {
    const workspace = openWorkspace();
    const place = join(workspace.folder, 'layer-plain');
    mkdirSync(place);
    const script = 'mount -t ramfs ramfs "$1" && mkdir "$1/root" && exec "$2" "$3" "$1"';
    const program = await bundle('test/layer/support/unpack-program.ts');
    const args = ['--mount', 'sh', '-c', script, 'sh', place, process.execPath, program];
    const header = withXattrs({ 'user.foo': 'x' });
    const tar = archive(header, file('f'), header, folder('d'), header, file('g'));
    const childPath = await bundle('src/layer/unpack-child.ts');
    const input = JSON.stringify({
      blob: tar.toString('base64'),
      diffId: digestOf(tar),
      childPath,
      limits: { bytes: 1e6 },
    });
    const { stdout } = spawnSync('unshare', args, { input, encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({
      entries: 3,
      warnings: [expect.stringMatching(/file system does not take \(E(NOT|OPNOT)SUPP?\): "user\.foo"$/)],
    });
  });

  it('names what is left out in a way that a terminal survives', async () => {
    const { warnings } = await openWorkspace().unpack(archive(withXattrs({ 'evil.\x1b[31m': 'x' }), file('f')));
    expect(warnings).toEqual(['left out an extended attribute that layers cannot have: "evil.\\x1b[31m"']);
  });
});
