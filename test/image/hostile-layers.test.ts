import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, it, onTestFinished } from 'vitest';

import { LayerError } from '../../src/errors.ts';
import { openEngine } from '../../src/image/engine.ts';
import { listImages } from '../../src/image/list-images.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import { archive, file, folder, gnuLong, hardlink, rawEntry, symlink, whiteout } from '../support/tar/raw-tar.ts';
import { tarLayer } from './test-layers.ts';

const DEEP = gnuLong('L', `${'d/'.repeat(1000)}f`);

describe('pullImage() of a hostile layer', () => {
  it.each<[string, Buffer[]]>([
    ['L03: a name that leads out', [file('ok'), file('../victim/f')]],
    [
      'L13: a path that is too long, on top of a deep tree',
      [DEEP, file('f'), gnuLong('L', 'n/'.repeat(2500)), file('f')],
    ],
    ['L23: symlinks in a circle', [symlink('l1', 'l2'), symlink('l2', 'l1'), file('l1/f')]],
    ['L32: a hard link that leads out', [hardlink('x', '../victim/hello')]],
    ['L36: a hard link to what is not there', [hardlink('x', 'later')]],
    [
      'L44: a device that would be a whiteout',
      [rawEntry({ name: 'etc/passwd', type: '3', deviceMajor: 0, deviceMinor: 0 })],
    ],
    ['L49: a folder of mode 0 with something in it', [folder('d', { mode: 0 }), file('d/f'), file('../x')]],
    ['L77: a file and something in it', [file('a'), file('a/b')]],
    ['L84: a whiteout of no name', [whiteout('d/.wh...')]],
    ['L96: a folder named like a whiteout', [file('.wh.d/f')]],
  ])('P4, P5: %s leaves nothing behind but blobs', async (_, entries) => {
    const registry = await startRegistry();
    onTestFinished(async () => registry.close());
    const home = join(await temporaryFolder(), 'store');
    const engine = await openEngine({ home });
    putImage(registry, 'app', 'v1', {
      layers: [{ bytes: gzipSync(archive(...entries)) }, await tarLayer({ above: 'x' })],
    });
    const before = { files: readdirSync('/proc/self/fd').length, children: childrenOfThis() };

    const error: unknown = await pullImage(engine, `${registry.host}/app:v1`).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LayerError);
    expect(error).toMatchObject({
      index: entries.length === 1 ? 0 : (expect.any(Number) as number),
      entry: expect.any(String) as string,
    });

    const { layers, trash } = engine.store.paths;
    expect(readdirSync(layers).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    expect(readdirSync(trash)).toEqual([]);
    expect(await listImages(engine)).toEqual([]);
    expect(childrenOfThis()).toBe(before.children);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before.files + 2); // sockets that may be used again
  });
});

function childrenOfThis(): string {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
}
