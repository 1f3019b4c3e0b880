import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { startFaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS, runFaulty, type CountedCall } from './faulty-run.ts';
import { openHome } from './sweep.ts';

/** Calls of a pull into a new store, with paths from the store's root on. */
let calls: CountedCall[];

describe('the order of calls in a pull, which decides what a power failure leaves', requires(...FAULT_NEEDS), () => {
  it('is recorded', async () => {
    const images = await startFaultRegistry();
    onTestFinished(async () => images.close());
    const home = openHome();
    const kinds = ['write', 'create', 'rename', 'fsync'] as const;
    const ended = await runFaulty(home, ['pull', '-q', images.v1], { kinds });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    calls = ended.calls.map((one) => ({ ...one, path: one.path.slice(home.store.length) }));
  });

  it('F3 a blob is synced before it gets its name, and its folder before the image does', () => {
    const renames = indexesOf(/^rename/, /^\/blobs\//);
    expect(renames).toHaveLength(4);
    for (const at of renames) {
      const hex = pathAt(at).split('/').at(-1) ?? '';
      const ingest = new RegExp(`^/ingest/${hex}`);
      const lastWrite = indexesOf(/write/, ingest).at(-1) ?? Infinity;
      const synced = indexesOf(/^fsync$/, ingest).find((sync) => sync > lastWrite) ?? Infinity;
      expect(synced, hex).toBeLessThan(at);
      const folder = indexesOf(/^fsync$/, /^\/blobs\/sha256$/).find((sync) => sync > at) ?? Infinity;
      expect(folder, hex).toBeLessThan(imageNamed());
    }
  });

  it('F2 a layer has no `done` before everything is synced, and no name before its `done` is', () => {
    const renames = indexesOf(/^rename/, /^\/layers\/[0-9a-f]+$/);
    expect(renames).toHaveLength(2);
    for (const at of renames) {
      const staging = `/layers/.tmp-${pathAt(at).split('/').at(-1)}-[0-9a-f]+`;
      const lastWrite = indexesOf(/write|open|mknod/, new RegExp(`^${staging}/(fs/.*|manifest)$`)).at(-1) ?? Infinity;
      const [everything] = indexesOf(/^syncfs$/, new RegExp(`^${staging}/manifest$`));
      const [done] = indexesOf(/^open/, new RegExp(`^${staging}/done$`));
      const [doneSynced] = indexesOf(/^fsync$/, new RegExp(`^${staging}/done$`));
      const folderSynced = indexesOf(/^fsync$/, new RegExp(`^${staging}$`)).find((sync) => sync > (doneSynced ?? 0));
      const named = indexesOf(/^fsync$/, /^\/layers$/).find((sync) => sync > at);
      const order = [lastWrite, everything, done, doneSynced, folderSynced, at, named, imageNamed()];
      expect(order).toEqual(order.toSorted((a = Infinity, b = Infinity) => a - b));
      expect(order).not.toContain(undefined);
    }
  });

  it('F1 every file that replaces another is synced before, and its folder after', () => {
    const renames = indexesOf(/^rename/, /\.json$|\/(passwd|group|oci-layout|gc\.lock)$/);
    expect(renames.map(pathAt)).toEqual(expect.arrayContaining(['/index.json', '/store.json', '/oci-layout']));
    for (const at of renames) {
      const [, folder = '', name = ''] = /^(.*)\/(.*)$/.exec(pathAt(at)) ?? [];
      const temporary = new RegExp(`^${folder}/\\.${name.replaceAll('.', '\\.')}\\.[0-9a-f]+\\.tmp$`);
      const before = indexesOf(/^fsync$/, temporary).findLast((sync) => sync < at) ?? -1;
      const written = indexesOf(/write/, temporary).findLast((write) => write < at) ?? -1;
      expect(before, pathAt(at)).toBeGreaterThan(written);
      expect(pathAt(indexesOf(/^fsync$/, /./).find((sync) => sync > at) ?? -1) || '/', pathAt(at)).toBe(folder || '/');
    }
  });
});

function indexesOf(call: RegExp, path: RegExp): number[] {
  return calls.flatMap((one, index) => (call.test(one.call) && path.test(one.path || '/') ? [index] : []));
}

function pathAt(index: number): string {
  return calls[index]?.path ?? '';
}

/** The last step of a pull. */
function imageNamed(): number {
  return indexesOf(/^rename/, /^\/index\.json$/).at(-1) ?? -1;
}
