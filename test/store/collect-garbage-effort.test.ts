import fs from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Digest } from '../../src/oci/digest.ts';
import { collectGarbage } from '../../src/store/collect-garbage.ts';
import type { Store } from '../../src/store/open-store.ts';
import { openTestStore } from './open-test-store.ts';
import { NO_CONTAINERS, add } from './operations.ts';

describe('collectGarbage() in a store with much that stays', () => {
  it('looks into no layer when asked not to', async () => {
    const store = await openTestStore();
    await add(store, 'a:1');
    const [layer = ''] = fs.readdirSync(store.paths.layers);
    const left = join(store.paths.layers, layer, '.passwd.0123456789abcdef.tmp');
    fs.writeFileSync(left, 'root');
    await collectGarbage(store, { roots: NO_CONTAINERS, keepLayerFiles: true });
    expect(fs.existsSync(left)).toBe(true);
    await collectGarbage(store, { roots: NO_CONTAINERS });
    expect(fs.existsSync(left)).toBe(false);
  });

  it('reads each manifest and each config once, and looks at the sizes of what goes alone', async () => {
    const store = await openTestStore();
    const [kept, gone] = [await add(store, 'a:1'), await add(store, 'b:1')];
    await store.images.set({ ...kept.record, name: 'docker.io/library/c:1' });
    await store.images.delete(gone.record.name);
    const read: Digest[] = [];
    const sized: Digest[] = [];
    const blobs: Store['blobs'] = {
      ...store.blobs,
      readDocument: (digest) => {
        read.push(digest);
        return store.blobs.readDocument(digest);
      },
      path: (digest) => {
        sized.push(digest);
        return store.blobs.path(digest);
      },
    };
    await collectGarbage({ ...store, blobs }, { roots: NO_CONTAINERS, dryRun: true });
    expect(read.sort()).toEqual([kept.record.imageId, kept.record.manifest].sort());
    expect(sized.sort()).toEqual(gone.blobs.map(({ descriptor }) => descriptor.digest).sort());
  });
});
