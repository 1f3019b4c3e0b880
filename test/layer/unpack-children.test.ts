import { readdirSync, readlinkSync } from 'node:fs';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createUnpackChildren, type UnpackChildren } from '../../src/layer/unpack-children.ts';
import { verifyLayer } from '../../src/layer/verify-layer.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { archive, file, hardlink } from '../support/tar/raw-tar.ts';
import { bundle } from './support/bundle.ts';
import { childrenOf } from './support/children-of.ts';
import { deferred } from './support/deferred.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

describe('unpackLayer() of several layers with the same children', requires('root'), () => {
  it('needs one process for one after the other, and none when they are closed', async () => {
    const { workspace, children } = await open();
    const before = childrenOf(process.pid);
    const first = await workspace.unpack(archive(file('a', 'one')), { children });
    const used = childrenOf(process.pid).filter((pid) => !before.includes(pid));
    expect(used).toHaveLength(1);
    const second = await workspace.unpack(archive(file('b', 'two')), { children });
    expect(childrenOf(process.pid)).toEqual([...before, ...used]);
    expect([Object.keys(first.tree), Object.keys(second.tree)]).toEqual([['a'], ['b']]);

    const { manifestPath, root: folder } = first;
    expect(await verifyLayer({ label: 'first', folder, manifestPath, children })).toEqual([]);
    expect(childrenOf(process.pid)).toEqual([...before, ...used]);
    await children.close();
    expect(childrenOf(process.pid)).toEqual(before);
  });

  it('needs another for a layer while one is at work', async () => {
    const { workspace, children } = await open();
    const before = childrenOf(process.pid);
    const lower = await workspace.unpack(archive(file('below')), { children });
    const { promise: lowersComplete, resolve: complete } = deferred();
    const waits = { children, lowers: [lower.root], lowersComplete };
    const waiting = workspace.unpack(archive(hardlink('a', 'below')), waits);
    const [child] = childrenOf(process.pid).filter((pid) => !before.includes(pid));
    await vi.waitFor(() => expect(readlinkSync(`/proc/${child}/root`)).not.toBe('/'), 10_000);
    const { tree } = await workspace.unpack(archive(file('b')), { children, lowers: [lower.root] });
    expect(Object.keys(tree)).toEqual(['b']);
    expect(childrenOf(process.pid)).toHaveLength(before.length + 2);
    complete();
    expect(Object.keys((await waiting).tree)).toEqual(['a', 'below']);
  });

  it('does not take what an earlier layer was told of the layers below it', async () => {
    const { workspace, children } = await open();
    const [wrong, right] = [
      await workspace.unpack(archive(file('below', 'wrong')), { children }),
      await workspace.unpack(archive(file('below', 'right')), { children }),
    ];
    await workspace.unpack(archive(file('a')), { children, lowers: [wrong.root] }); // does not need it
    const { tree } = await workspace.unpack(archive(hardlink('b', 'below')), { children, lowers: [right.root] });
    expect(tree['b']).toContain('right');
  });

  it('leaves no descriptor open in the process', async () => {
    const { workspace, children } = await open();
    const before = childrenOf(process.pid);
    const lower = await workspace.unpack(archive(file('below')), { children });
    const [child] = childrenOf(process.pid).filter((pid) => !before.includes(pid));
    const descriptors = (): number => readdirSync(`/proc/${child}/fd`).length;
    const count = descriptors();
    await workspace.unpack(archive(hardlink('b', 'below'), file('d/e')), {
      children,
      lowers: [lower.root, lower.root],
    });
    expect(descriptors()).toBe(count);
  });

  it('P1: keeps a later layer inside its folder as well', async () => {
    const { workspace, children } = await open();
    await workspace.unpack(archive(file('a')), { children });
    const evil = archive(file('../evil', 'x'));
    expect(await workspace.refuse(evil, { children })).toMatchObject({ code: 'ERR_LAYER' });
  });

  it('goes on with a new process after a layer that was refused, or an abort', async () => {
    const { workspace, children } = await open();
    const wrongDigest = { children, diffId: digestOf(Buffer.alloc(0)) };
    expect(await workspace.refuse(archive(file('a')), wrongDigest)).toMatchObject({ code: 'ERR_INTEGRITY' });
    expect(Object.keys((await workspace.unpack(archive(file('b')), { children })).tree)).toEqual(['b']);

    const aborter = new AbortController();
    const lower = await workspace.unpack(archive(file('below')), { children });
    const refused = workspace.refuse(archive(hardlink('c', 'below')), {
      children,
      lowers: [lower.root],
      lowersComplete: new Promise<void>(() => undefined),
      signal: aborter.signal,
    });
    aborter.abort();
    expect(await refused).toMatchObject({ code: 'ERR_ABORTED' });
    expect(Object.keys((await workspace.unpack(archive(file('d')), { children })).tree)).toEqual(['d']);
  });
});

async function open(): Promise<{ workspace: Workspace; children: UnpackChildren }> {
  const workspace = openWorkspace();
  const childPath = await bundle('src/layer/unpack-child.ts');
  const children = createUnpackChildren({
    ownership: { kind: 'root' },
    runnerFolder: workspace.folder,
    childPath,
  });
  onTestFinished(async () => children.close());
  return { workspace, children };
}
