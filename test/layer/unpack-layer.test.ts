import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { IntegrityError, LayerError } from '../../src/errors.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { frame } from '../support/tar/framing.ts';
import { archive, END, file, folder, hardlink, pax, symlink } from '../support/tar/raw-tar.ts';
import { bundle } from './support/bundle.ts';
import { childrenOf } from './support/children-of.ts';
import { deferred } from './support/deferred.ts';
import { openWorkspace } from './support/workspace.ts';

const TAR = archive(folder('d'), file('d/f', 'content'), symlink('s', 'd/f'));

describe('unpackLayer() result', requires('root'), () => {
  it('says what it has unpacked', async () => {
    const { diffId, size, entries, warnings } = await openWorkspace().unpack(TAR, { compressed: gzipSync(TAR) });
    expect({ diffId, size, entries, warnings }).toEqual({
      diffId: digestOf(TAR),
      size: TAR.length,
      entries: 3,
      warnings: [],
    });
  });

  it('takes a diff ID of sha512', async () => {
    const diffId = digestOf(TAR, 'sha512');
    expect(await openWorkspace().unpack(TAR, { diffId })).toMatchObject({ diffId });
  });

  it.each([
    ['L73: a blob of 0 bytes', Buffer.alloc(0)],
    ['L73: 1024 zeros', END],
    ['L73: 10 KiB of zeros', Buffer.alloc(10_240)],
  ])('%s is an empty layer', async (_, bytes) => {
    expect(await openWorkspace().unpack(bytes)).toMatchObject({ entries: 0, size: bytes.length, tree: {} });
  });

  it('L73: the empty layer that Docker used to add', async () => {
    const empty = Buffer.from('1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000', 'hex');
    const { tree } = await openWorkspace().unpack(END, { compressed: empty });
    expect(digestOf(empty)).toBe('sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4');
    expect(tree).toEqual({});
  });

  it.each([
    ['L74: tar that says gzip', 'application/vnd.oci.image.layer.v1.tar+gzip', TAR],
    ['L74: tar that says zstd', 'application/vnd.oci.image.layer.v1.tar+zstd', TAR],
    ['L74: gzip that says tar', 'application/vnd.oci.image.layer.v1.tar', gzipSync(TAR)],
    ['L74: zstd that says gzip', 'application/vnd.oci.image.layer.v1.tar+gzip', frame(TAR, { zstdBlock: 1000 })],
  ])('%s is told by its bytes', async (_, mediaType, compressed) => {
    const descriptor = { mediaType, digest: digestOf(compressed), size: compressed.length };
    const { tree } = await openWorkspace().unpack(TAR, { compressed, descriptor });
    expect(Object.keys(tree)).toEqual(['d', 'd/f', 's']);
  });

  it('L75: the files of eStargz are files, and its many members one archive', async () => {
    const parts = [file('.prefetch.landmark', '\x0f'), folder('d'), file('d/f'), file('stargz.index.json', '{}'), END];
    const compressed = Buffer.concat(parts.map((part) => gzipSync(part)));
    const { tree } = await openWorkspace().unpack(Buffer.concat(parts), { compressed });
    expect(Object.keys(tree)).toEqual(['.prefetch.landmark', 'd', 'd/f', 'stargz.index.json']);
  });

  it('tells how far it is', async () => {
    const seen: number[] = [];
    const noise = Buffer.from(
      Array.from({ length: 30_000_000 }, (_, index) => (Math.imul(index, 0x9e3779b1) >>> 13) & 0xff),
    );
    const tar = archive(file('f', noise));
    await openWorkspace().unpack(tar, {
      onProgress: (bytes) => seen.push(bytes),
      compressed: gzipSync(tar, { level: 1 }),
    });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1) ?? 0).toBeLessThanOrEqual(tar.length);
  });
});

describe('unpackLayer() digests (P7)', requires('root'), () => {
  it('A9, C02: refuses content with another diff ID', async () => {
    const error = await openWorkspace().refuse(TAR, { diffId: digestOf(Buffer.from('other')) });
    expect(error).toBeInstanceOf(IntegrityError);
    expect(error).toMatchObject({ code: 'ERR_INTEGRITY', actual: digestOf(TAR) });
    expect(error.message).toMatch(/and the image's config wants sha256:/);
  });

  it('L68: what follows the end of the archive counts', async () => {
    const tar = Buffer.concat([TAR, archive(file('second')), Buffer.from('garbage')]);
    const workspace = openWorkspace();
    expect(Object.keys((await workspace.unpack(tar)).tree)).toEqual(['d', 'd/f', 's']);
    expect((await workspace.refuse(tar, { diffId: digestOf(TAR) })).code).toBe('ERR_INTEGRITY');
  });

  it('refuses a blob of another size than its descriptor has', async () => {
    const descriptor = { mediaType: '', digest: digestOf(TAR), size: TAR.length + 1 };
    const error = await openWorkspace().refuse(TAR, { descriptor });
    expect(error).toMatchObject({
      code: 'ERR_INTEGRITY',
      expected: String(TAR.length + 1),
      actual: String(TAR.length),
    });
  });
});

describe('unpackLayer() life of the child', requires('root'), () => {
  it('P4: leaves no process and no descriptor, whatever happens', async () => {
    const workspace = openWorkspace();
    await workspace.unpack(TAR);
    const before = { children: childrenOf(process.pid), files: openFiles() };
    await workspace.unpack(TAR);
    await workspace.refuse(archive(file('../x')));
    await workspace.refuse(TAR, { diffId: digestOf(Buffer.alloc(0)) });
    await workspace.refuse(TAR, { signal: AbortSignal.abort() });
    await workspace.refuse(TAR, { blobPath: join(workspace.folder, 'nothing') });
    await workspace.refuse(TAR, { childPath: '/dev/null/nothing' });
    expect({ children: childrenOf(process.pid), files: openFiles() }).toEqual(before);
  });

  it('an abort kills it', async () => {
    const aborter = new AbortController();
    const lowersComplete = new Promise<void>(() => undefined);
    const tar = archive(hardlink('b', 'below'), ...Array.from({ length: 100 }, (_, index) => file(`f${index}`)));
    const workspace = openWorkspace();
    const lower = await workspace.unpack(TAR);
    const known = childrenOf(process.pid);
    // It waits for the layers below, for ever.
    const refused = workspace.refuse(tar, { lowers: [lower.root], lowersComplete, signal: aborter.signal });
    const child = await waitForChild(process.pid, known);
    aborter.abort(new Error('enough'));
    expect(await refused).toMatchObject({ code: 'ERR_ABORTED', cause: new Error('enough') });
    expect(existsSync(`/proc/${child}`)).toBe(false);
  });

  it('it ends with its parent, in the middle of its work', async () => {
    const workspace = openWorkspace();
    const program = await bundle('test/layer/support/unpack-program.ts');
    const place = join(workspace.folder, 'layer-orphan');
    mkdirSync(join(place, 'root'), { recursive: true });
    const parent = spawn(process.execPath, [program, place], { stdio: ['pipe', 'inherit', 'inherit'] });
    // A hole whose digest takes a minute.
    const size = 100e9;
    const tar = archive(
      pax({ 'GNU.sparse.numblocks': 1, 'GNU.sparse.map': '0,0', 'GNU.sparse.size': size }),
      file('f', ''),
    );
    const childPath = await bundle('src/layer/unpack-child.ts');
    const limits = { bytes: size };
    parent.stdin.end(JSON.stringify({ blob: tar.toString('base64'), diffId: digestOf(tar), childPath, limits }));
    const child = await waitForChild(parent.pid!, []);
    await vi.waitFor(() => expect(readlinkSync(`/proc/${child}/root`)).toBe(join(place, 'root')), 10_000);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await vi.waitFor(() => expect(existsSync(`/proc/${child}`)).toBe(false), 5_000);
  });

  it('P1: opens nothing of its own by a path once its root is the layer', requires('strace'), async () => {
    const workspace = openWorkspace();
    const place = join(workspace.folder, 'layer-traced');
    mkdirSync(join(place, 'root'), { recursive: true });
    const names = ['etc', 'etc/ssl', 'proc', 'etc/localtime', 'large', 'link'];
    const entries = [folder('etc'), folder('etc/ssl'), folder('proc'), file('etc/localtime'), symlink('link', '/etc')];
    const tar = archive(...entries, file('large', Buffer.alloc(5_000_000, 'x')), file('../out'));
    const program = await bundle('test/layer/support/unpack-program.ts');
    const childPath = await bundle('src/layer/unpack-child.ts');
    const trace = join(place, 'trace');
    const args = ['-f', '-q', '-s', '1000', '-e', 'trace=file,chroot', '-o', trace, process.execPath, program, place];
    const input = JSON.stringify({ blob: gzipSync(tar).toString('base64'), diffId: digestOf(tar), childPath });
    const { stdout } = spawnSync('strace', args, { input, encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ code: 'ERR_LAYER' });

    const calls = readFileSync(trace, 'latin1').split('\n');
    const changed = calls.findIndex((call) => / chroot\(/.test(call));
    expect(changed).toBeGreaterThan(0);
    const paths = calls.slice(changed).flatMap((call) => call.match(/"\/[^"]*"/g) ?? []);
    const expected = new Set(['', '.case', '.CASE', ...names].map((name) => `"/${name}"`));
    // Its parent is in the trace as well.
    expect(paths.filter((path) => !expected.has(path) && !path.startsWith(`"${place}`))).toEqual([]);
    expect(paths).toContain('"/large"');
  });

  it('says how it has ended if it says nothing itself', async () => {
    const workspace = openWorkspace();
    const childPath = join(workspace.folder, 'layer-crash.cjs');
    writeFileSync(
      childPath,
      'console.error("oh dear"); process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 1e6);',
    );
    const error = await workspace.refuse(TAR, { childPath });
    expect(error).toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(/was ended by SIGSEGV$/) as string,
    });
    expect((error.cause as Error).message).toContain('oh dear');
  });

  it('says that it cannot be started where the program of this process is gone', async () => {
    const { execPath } = process;
    onTestFinished(() => {
      process.execPath = execPath;
    });
    const workspace = openWorkspace();
    await workspace.unpack(TAR);
    const before = openFiles();
    process.execPath = join(workspace.folder, 'node'); // as after an update
    expect(await workspace.refuse(TAR)).toMatchObject({
      code: 'ERR_HOST',
      message: expect.stringMatching(
        /the process that does it cannot be started: no such file or directory$/,
      ) as string,
    });
    expect(openFiles()).toEqual(before);
  });

  it('P4, P5: says so at whatever place the descriptors run out, and leaves none of ours open', async () => {
    const workspace = openWorkspace();
    const program = await bundle('test/layer/support/unpack-program.ts');
    const childPath = await bundle('src/layer/unpack-child.ts');
    const codes = new Set<unknown>();
    for (let spare = 0; spare <= 16 && !codes.has('unpacked'); spare += 1) {
      const place = join(workspace.folder, `layer-${spare}-spare`);
      mkdirSync(join(place, 'root'), { recursive: true });
      const input = JSON.stringify({ blob: TAR.toString('base64'), diffId: digestOf(TAR), childPath, spare });
      const script = 'ulimit -n 64 && exec "$@"';
      const { stdout } = spawnSync('sh', ['-c', script, 'sh', process.execPath, program, place], {
        input,
        encoding: 'utf8',
      });
      const { code, left } = JSON.parse(stdout) as { code?: string; left: number };
      // Where the last descriptors go into pipes for a child that cannot be made, Node itself forgets those three.
      expect([0, 3]).toContain(left);
      codes.add(code ?? 'unpacked');
    }
    expect(codes).toEqual(new Set(['ERR_HOST', 'ERR_STORE', 'unpacked']));
  }, 60_000);

  it('waits for the layers below if it needs them, whatever they are called then', async () => {
    const workspace = openWorkspace();
    const lower = join(workspace.folder, 'layer-below');
    const published = join(workspace.folder, 'layer-published');
    mkdirSync(lower);
    const { promise: lowersComplete, resolve } = deferred();
    const known = childrenOf(process.pid);
    const unpacked = workspace.unpack(archive(hardlink('b', 'below')), {
      lowers: [lower],
      lowersComplete,
    });
    await waitForChild(process.pid, known);
    writeFileSync(join(lower, 'below'), 'x');
    renameSync(lower, published);
    mkdirSync(lower); // somebody else's
    resolve();
    expect(Object.keys((await unpacked).tree)).toEqual(['b', 'below']);
  });

  it('does not wait for the layers below if it does not need them', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(TAR);
    const lowersComplete = new Promise<void>(() => undefined);
    expect(Object.keys((await workspace.unpack(TAR, { lowers: [lower.root], lowersComplete })).tree)).toEqual([
      'd',
      'd/f',
      's',
    ]);
  });

  it('fails with a layer below', async () => {
    const workspace = openWorkspace();
    const lower = await workspace.unpack(TAR);
    const reason = new LayerError('below', { reason: 'below' });
    const lowersComplete = Promise.reject(reason);
    lowersComplete.catch(() => undefined);
    const error = await workspace.refuse(archive(hardlink('b', 'f')), { lowers: [lower.root], lowersComplete });
    expect(error).toBe(reason);
  });
});

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').toSorted();
}

/** The first child of a process beside the `known` ones (esbuild is one), when it has one. */
async function waitForChild(pid: number, known: readonly number[]): Promise<number> {
  return vi.waitFor(() => {
    const child = childrenOf(pid).find((candidate) => !known.includes(candidate));
    if (child === undefined) throw new Error('There is no child yet');
    return child;
  }, 10_000);
}
