import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { LayerError, ToolError } from '../../../src/errors.ts';
import { applyLayer, type SystemCalls } from '../../../src/layer/apply-layer.ts';
import { compareTree } from '../../../src/layer/compare-tree.ts';
import { readManifest } from '../../../src/layer/read-manifest.ts';
import { bindFileCalls, type FileCalls } from '../../../src/linux/libc-files.ts';
import { bindProcessCalls } from '../../../src/linux/libc-process.ts';
import { bindXattrCalls } from '../../../src/linux/libc-xattr.ts';
import { bindLibc, cString } from '../../../src/linux/libc.ts';
import { O } from '../../../src/linux/path-flags.ts';
import { createGzipDecoder } from '../../../src/linux/zlib.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { copyMergedTree } from '../../../src/snapshot/copy-merged-tree.ts';
import { libcAttributes } from '../../../src/snapshot/node-attributes.ts';
import { overlayMarks } from '../../../src/snapshot/overlay-marks.ts';
import type { ApplyAnswer, ApplyRequest } from './apply-client.ts';
import { readTree } from './read-tree.ts';
import { isOpen } from './is-open.ts';

/**
 * A program that unpacks many chains of layers without starting a process for each: see startApplyServer, which speaks with it.
 * Needs root and a mount namespace of its own; its argument is an empty folder.
 */
const libc = bindLibc();
const xattrs = bindXattrCalls(libc);
const files = bindFileCalls(libc);
const attributes = libcAttributes();
const marks = { trusted: overlayMarks('trusted'), user: overlayMarks('user') };
const self = bindProcessCalls(libc);
const mount = libc.bind('mount', 'int', ['void *', 'void *', 'void *', 'uint64', 'void *']);
const umount = libc.bind('umount', 'int', ['void *']);
const hostRoot = openSync('/', O.PATH | constants.O_DIRECTORY);

/** Beside the layers, to be harmed by those that get out; with names that a careless check could take for theirs. */
const VICTIMS = ['victim', '0-evil', '1-evil', 'etc', '.wh.0'];
const LONG_AGO = 1_000_000_000; // seconds; everything else happens later

interface Chain {
  /** Holds the layers' roots and the victims. */
  place: string;
  whiteouts: 'trusted' | 'user';
  system: Omit<SystemCalls, 'decoders'>;
  /** Bottom first; overlayfs without an upper layer wants two, so the first is empty. */
  roots: string[];
}

async function answerTo(request: ApplyRequest, folder: string): Promise<ApplyAnswer> {
  const before = openFiles();
  const answer = await applyChain(request, folder);
  for (const fd of openFiles()) if (!before.includes(fd)) throw new Error(`The descriptor ${fd} is still open`);
  if (childrenOfThis() !== '') throw new Error(`There are processes: ${childrenOfThis()}`);
  return answer;
}

async function applyChain({ layers, form }: ApplyRequest, folder: string): Promise<ApplyAnswer> {
  const place = join(folder, 'chain');
  const chain: Chain = { place, whiteouts: form === 'user' ? 'user' : 'trusted', system: systemFor(form), roots: [] };
  try {
    chain.roots.push(join(place, 'empty'));
    mkdirSync(chain.roots[0]!);
    for (const layer of layers) await applyGuarded(chain, layer);
    const copy = readCopy(chain, join(folder, 'copy'));
    return form === 'file' ? { copy } : { copy, overlay: readOverlay(chain, join(folder, 'merged')) };
  } catch (error) {
    return explain(error, chain.roots.length - 1);
  } finally {
    for (const root of [...chain.roots, rootAbove(chain)]) rmSync(root, { recursive: true, force: true });
  }
}

function explain(error: unknown, layer: number): ApplyAnswer {
  if (!(error instanceof ToolError)) throw error;
  const { code, message } = error;
  const { entry, index } = error instanceof LayerError ? error : {};
  return { refused: { code, message, layer, entry, index } };
}

function systemFor(form: ApplyRequest['form']): Chain['system'] {
  // As on an overlay, where the kernel makes no 0:0 device.
  const makeNode: FileCalls['makeNode'] = (path, mode, device) => {
    if (device === 0n && (mode & constants.S_IFMT) === constants.S_IFCHR)
      throw Object.assign(new Error(), { code: 'EPERM' });
    files.makeNode(path, mode, device);
  };
  return { files: form === 'file' ? { ...files, makeNode } : files, xattrs };
}

function plant(place: string): void {
  mkdirSync(place);
  for (const name of VICTIMS) {
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, 'hello'), 'untouched', { mode: 0o640 });
    for (const path of [join(place, name, 'hello'), join(place, name)]) utimesSync(path, LONG_AGO, LONG_AGO);
  }
}

/** Applies a layer on top of the others, and looks at everything outside of it before and afterwards. */
async function applyGuarded(chain: Chain, layer: ApplyRequest['layers'][number]): Promise<void> {
  const { place, roots } = chain;
  const root = rootAbove(chain);
  const own = root.slice(join(place, '..').length + 1);
  mkdirSync(root);
  utimesSync(place, LONG_AGO, LONG_AGO);
  const outside = (): string => {
    const tree = Object.entries(readTree(join(place, '..'), xattrs));
    return JSON.stringify(tree.filter(([path]) => path !== own && !path.startsWith(`${own}/`)));
  };
  const before = outside();
  const failure = await apply(chain, root, layer).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (outside() !== before) throw new Error(`Something outside of the layer was changed: ${outside()}`);
  if (failure !== undefined) throw failure.error;
  roots.push(root);
}

/** Where the next layer goes. */
function rootAbove({ place, roots }: Chain): string {
  return join(place, String(roots.length - 1));
}

async function apply(chain: Chain, root: string, { blob, diffId }: ApplyRequest['layers'][number]): Promise<void> {
  const { system, whiteouts, roots } = chain;
  const bytes = Buffer.from(blob, 'base64');
  const [fd, manifest] = [openNameless('blob'), openNameless('manifest')];
  writeFileSync(fd, bytes);
  const gzip = createGzipDecoder();
  const lowers = roots.slice(1).map((lower) => openSync(lower, O.PATH | constants.O_DIRECTORY));
  self.chroot(root);
  process.chdir('/');
  try {
    await applyLayer({
      system: { ...system, decoders: { gzip, zstd: undefined } },
      blob: { fd, size: bytes.length, onRead: () => undefined },
      label: 'test',
      diffId: parseDigest(diffId),
      manifest,
      lowerCount: lowers.length,
      openLowers: () => lowers,
      ownership: { kind: 'root' },
      whiteouts,
      limits: { bytes: 20_000_000, entries: 1000, folders: 1000 },
    });
    checkManifest(manifest);
  } finally {
    gzip.free();
    self.chrootToOpenFolder(hostRoot);
    process.chdir('/');
    for (const open of [fd, manifest, ...lowers]) closeSync(open);
  }
}

/** Outside of what is compared. */
function openNameless(name: string): number {
  const path = join(process.argv[2]!, '..', `mydocker-${name}-${process.pid}`);
  const fd = openSync(path, 'wx+');
  unlinkSync(path);
  return fd;
}

function checkManifest(manifest: number): void {
  const differences: string[] = [];
  const onDifference = (path: string, difference: string): void => void differences.push(`${path}: ${difference}`);
  compareTree(readManifest(manifest), { xattrs, comparesOwners: true, onDifference });
  if (differences.length > 0) throw new Error(`The manifest is not of the tree: ${differences.join('\n')}`);
}

function readOverlay({ roots, whiteouts }: Chain, path: string): Record<string, string> {
  mkdirSync(path);
  const options = [`lowerdir=${roots.toReversed().join(':')}`, ...(whiteouts === 'user' ? ['userxattr'] : [])];
  mount([cString('overlay'), cString(path), cString('overlay'), 1, cString(options.join(','))]); // read-only
  try {
    return withoutSingleLinks(readTree(path, xattrs));
  } finally {
    umount([cString(path)]);
    rmSync(path, { recursive: true });
  }
}

function readCopy({ roots, whiteouts }: Chain, path: string): Record<string, string> {
  mkdirSync(path);
  try {
    copyMergedTree({ trees: roots, destination: path, marks: marks[whiteouts], attributes });
    return withoutSingleLinks(readTree(path, xattrs));
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** A name whose other names were taken away by an upper layer still has the link count of its own layer. */
function withoutSingleLinks(tree: Record<string, string>): Record<string, string> {
  const counts = new Map<string, number>();
  const groupOf = (line: string): string | undefined => / #\d+(?= |$)/.exec(line)?.[0];
  for (const line of Object.values(tree)) counts.set(groupOf(line) ?? '', (counts.get(groupOf(line) ?? '') ?? 0) + 1);
  const groups = [...counts].filter(([group, count]) => group !== '' && count > 1).map(([group]) => group);
  const renamed = (line: string): string => {
    const group = groupOf(line);
    if (group === undefined) return line;
    const index = groups.indexOf(group);
    return line.replace(group, index === -1 ? '' : ` #${index + 1}`);
  };
  return Object.fromEntries(Object.entries(tree).map(([path, line]) => [path, renamed(line)]));
}

/** Without the one of the listing itself. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => isOpen(Number(fd)));
}

function childrenOfThis(): string {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
}

async function main(): Promise<void> {
  process.umask(0);
  plant(join(process.argv[2]!, 'chain'));
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as ApplyRequest;
    const answer = await answerTo(request, process.argv[2]!).catch((error: unknown): ApplyAnswer => {
      return { broken: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    });
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

void main();
