import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLocalImage } from '../../src/image/local-image.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { ROOT } from '../store/open-test-store.ts';
import { add } from '../store/operations.ts';
import { testBlob } from '../store/test-image.ts';

const layer = testBlob('layer', 'application/vnd.oci.image.layer.v1.tar+gzip');

describe('readLocalImage()', () => {
  it.each(['manifest', 'config'] as const)('S12 finds no image whose %s is pruned while it looks', async (part) => {
    const store = await openStore(join(await temporaryFolder(), 'store'), { ownership: ROOT });
    const image = await add(store, 'a:1', [layer]);
    expect(await readLocalImage(store, image.record.manifest)).toMatchObject({ chain: image.chain });
    const removing: Store['blobs'] = {
      ...store.blobs,
      read: async (descriptor, limit) => {
        if (descriptor.digest === image[part].descriptor.digest) unlinkSync(store.blobs.path(descriptor.digest));
        return store.blobs.read(descriptor, limit);
      },
    };
    expect(await readLocalImage({ ...store, blobs: removing }, image.record.manifest)).toBeUndefined();
  });
});
