import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { archive, END, file, folder, hardlink, rawEntry, whiteout } from '../support/tar/raw-tar.ts';
import { bundle } from './support/bundle.ts';
import { openWorkspace } from './support/workspace.ts';

describe('unpackLayer() limits (B9, L70)', requires('root'), () => {
  it.each<[string, Buffer, object, RegExp]>([
    ['a gzip bomb', archive(file('f', Buffer.alloc(20_000_000))), { bytes: 10_000_000 }, /more than 10000000 bytes/],
    [
      'L68: a bomb after the end',
      Buffer.concat([END, Buffer.alloc(20_000_000)]),
      { bytes: 10_000_000 },
      /archive has more than/,
    ],
    [
      'L97: a bomb in a whiteout',
      archive(whiteout('.wh.f', { body: Buffer.alloc(20_000_000) })),
      { bytes: 10_000_000 },
      /more than 10000000 bytes/,
    ],
    [
      'a header that promises too much',
      rawEntry({ size: 2 ** 33 - 1 }),
      { bytes: 10_000_000 },
      /files in it have together more than/,
    ],
    [
      'L71: too many entries',
      archive(...Array.from({ length: 11 }, (_, index) => file(`f${index}`))),
      { entries: 10 },
      /more than 10 entries/,
    ],
    [
      'L71: too many folders',
      archive(...Array.from({ length: 11 }, (_, index) => folder(`d${index}`))),
      { folders: 10 },
      /more than 10 folders/,
    ],
    [
      'too many folders that are only implied',
      archive(file(`${'d/'.repeat(11)}f`)),
      { folders: 10 },
      /more than 10 folders/,
    ],
    [
      'too many whiteouts',
      archive(...Array.from({ length: 11 }, (_, index) => whiteout(`.wh.${index}`))),
      { folders: 10 },
      /folders and whiteouts/,
    ],
  ])('stops %s', async (_, tar, limits, reason) => {
    const error = await openWorkspace().refuse(tar, { compressed: gzipSync(tar), limits });
    expect(error).toMatchObject({ code: 'ERR_LIMIT', message: expect.stringMatching(reason) as string });
  });

  it('L70: stops a zstd bomb', requires('zstd'), async () => {
    const tar = archive(file('f', Buffer.alloc(100_000_000)));
    const compressed = execFileSync('zstd', ['-q', '-c'], { input: tar, maxBuffer: 1 << 20 });
    expect(compressed.length).toBeLessThan(100_000);
    const error = await openWorkspace().refuse(tar, { compressed, limits: { bytes: 10_000_000 } });
    expect(error).toMatchObject({
      code: 'ERR_LIMIT',
      message: expect.stringMatching(/more than 10000000 bytes/) as string,
    });
  });

  it('L70: counts the manifest of the tree, which some names make six times as large as the archive', async () => {
    const tar = archive(...Array.from({ length: 300 }, () => file('\x01'.repeat(100), '')));
    const error = await openWorkspace().refuse(tar, { limits: { bytes: 200_000 } });
    expect(error).toMatchObject({
      code: 'ERR_LIMIT',
      message: expect.stringMatching(/the manifest of its tree/) as string,
    });
  });

  it('counts the content of hard links to files below', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(archive(file('big', Buffer.alloc(1_000_000))));
    const error = await workspace.refuse(archive(hardlink('b', 'big')), {
      lowers: [lower.root],
      limits: { bytes: 500_000 },
    });
    expect(error.code).toBe('ERR_LIMIT');
  });

  it.each([
    ['when writing fails', { bytes: 1e9 }, /no space is left on the file system/],
    ['before writing fails', {}, /nine tenths of the free space/],
  ])('says that the disk is full, %s', async (_, limits, reason) => {
    const workspace = openWorkspace();
    const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && mkdir "$1/root" && exec "$2" "$3" "$1"';
    const place = join(workspace.folder, 'layer-small');
    mkdirSync(place);
    const program = await bundle('test/layer/support/unpack-program.ts');
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', place, process.execPath, program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const tar = archive(file('f', Buffer.alloc(3_000_000, 'x')));
    const childPath = await bundle('src/layer/unpack-child.ts');
    const blob = gzipSync(tar).toString('base64');
    child.stdin.end(JSON.stringify({ blob, diffId: digestOf(tar), childPath, limits }));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    expect(JSON.parse(line)).toMatchObject({ code: 'ERR_NO_SPACE', message: expect.stringMatching(reason) as string });
  });
});
