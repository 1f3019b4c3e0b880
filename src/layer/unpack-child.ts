import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

import { bindFileCalls } from '../linux/libc-files.ts';
import { bindProcessCalls, type ProcessCalls } from '../linux/libc-process.ts';
import { bindXattrCalls } from '../linux/libc-xattr.ts';
import { bindLibc, loadLibc, type Libc } from '../linux/libc.ts';
import { createZstdDecoder } from '../linux/libzstd.ts';
import { O } from '../linux/path-flags.ts';
import type { StreamDecoder } from '../linux/stream-decoder.ts';
import { createGzipDecoder } from '../linux/zlib.ts';
import { digestAlgorithm } from '../oci/digest.ts';
import { applyLayer, type SystemCalls } from './apply-layer.ts';
import { readBlob, type BlobSource } from './blob-source.ts';
import { compareTree } from './compare-tree.ts';
import { isZstd } from './compression.ts';
import type { Decoders } from './decompress.ts';
import { explainVerifyFailure } from './explain-failure.ts';
import { describeFailure } from './failure.ts';
import { readManifest } from './read-manifest.ts';
import { compareRoot, prepareRoot } from './root-folder.ts';
import { MESSAGES_FD } from './unpack-job.ts';
import type { ChildInput, ChildJob, ChildMessage, LowersComplete, UnpackJob, VerifyJob } from './unpack-job.ts';

/**
 * The entry point of the process that unpacks or verifies one layer after the other, until its input ends or it fails. Its root is the
 * layer's folder before it looks at the archive or the tree, so that the kernel keeps every path inside.
 */
async function main(): Promise<void> {
  // What is made of an archive is garbage at once: collecting it more often takes no longer, and keeps 5 MB less.
  setFlagsFromString('--semi-space-growth-factor=1');
  const readLine = lineReader(STANDARD_INPUT);
  const first = readJob(readLine);
  if (first === undefined) return;
  const host = loadFromHost();
  host.self.dieWithParent();
  if (first.parent !== undefined && first.parent !== process.ppid) return; // it has ended before that
  for (let job: ChildJob | undefined = first; job !== undefined; job = readJob(readLine)) {
    if (job.kind === 'unpack') await unpack(job, host, readLine);
    else await verify(job, host);
  }
}

const STANDARD_INPUT = 0;

/** The next job; undefined at the end. What an earlier one has not waited for comes late. */
function readJob(readLine: () => string): ChildJob | undefined {
  for (let line = readLine(); line !== ''; line = readLine()) {
    const input = JSON.parse(line) as ChildInput;
    if (input.kind !== 'lowers') return input;
  }
  return undefined;
}

async function unpack(job: UnpackJob, host: Host, readLine: () => string): Promise<void> {
  const { system, libc } = host;
  const [blob, manifest] = [openSync(job.blobPath, READ), openSync(job.manifestPath, WRITE)];
  const decoders = prepareDecoders(job, blob, host);
  const result = await chrooted(job.folder, host, async () => {
    prepareRoot(system.xattrs);
    let lowers: number[] = [];
    const applied = await applyLayer({
      ...job,
      system: { ...system, decoders },
      blob: sourceOf(blob, progressReporter()),
      manifest,
      openLowers: () => (lowers = openLowers(readLine(), host)),
    });
    closeAll(lowers);
    sync(libc, manifest);
    return applied;
  });
  closeAll([blob, manifest]);
  send({ kind: 'result', ...result });
}

async function verify({ label, folder, manifestPath, comparesOwners }: VerifyJob, host: Host): Promise<void> {
  const { xattrs } = host.system;
  const manifest = openSync(manifestPath, READ);
  await chrooted(folder, host, () => {
    try {
      const onDifference = (path: string, difference: string): void => send({ kind: 'difference', path, difference });
      const comparison = { xattrs, comparesOwners, onDifference };
      compareRoot(comparison);
      compareTree(readManifest(manifest), comparison);
    } catch (error) {
      throw explainVerifyFailure(error, label);
    }
  });
  closeSync(manifest);
  send({ kind: 'verified' });
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW;
const WRITE = constants.O_WRONLY | constants.O_NOFOLLOW;

/** Makes `folder` the root until `work` is done. After a failure it stays so: the process is about to end. */
async function chrooted<T>(folder: string, { self, hostRoot }: Host, work: () => Promise<T> | T): Promise<T> {
  self.chroot(folder);
  process.chdir('/');
  const result = await work();
  self.chrootToOpenFolder(hostRoot);
  return result;
}

/** What is needed of the host. Descriptors that are open at a failure are closed by the end of the process. */
interface Host {
  /** The root of the host. Opened with O_PATH. */
  hostRoot: number;
  self: ProcessCalls;
  libc: Libc;
  system: Omit<SystemCalls, 'decoders'>;
  gzip: StreamDecoder;
  /** Undefined until a layer is compressed so: loading libzstd takes longer than the rest. */
  zstd: StreamDecoder | undefined;
}

/** Loads everything that is in files of the host. What was loaded when the root is a layer would come from the image. */
function loadFromHost(): Host {
  const binding = bindLibc();
  process.umask(0);
  return {
    hostRoot: openSync('/', O.PATH | constants.O_DIRECTORY),
    self: bindProcessCalls(binding),
    libc: loadLibc(),
    system: { files: bindFileCalls(binding), xattrs: bindXattrCalls(binding) },
    gzip: createGzipDecoder(),
    zstd: undefined,
  };
}

/** The rest of what is loaded from the host, which depends on the job. */
function prepareDecoders({ diffId }: UnpackJob, blob: number, host: Host): Decoders {
  // OpenSSL sets an algorithm up when it is wanted for the first time.
  for (const algorithm of ['sha256', digestAlgorithm(diffId)]) createHash(algorithm).digest();
  const nobody = (): void => undefined;
  if (isZstd(readBlob(sourceOf(blob, nobody), Buffer.alloc(4), 0))) host.zstd ??= createZstdDecoder();
  return { gzip: host.gzip, zstd: host.zstd };
}

function sourceOf(fd: number, onRead: (bytesRead: number) => void): BlobSource {
  return { fd, size: fstatSync(fd).size, onRead };
}

/** The parent says in `line`, for which it was waited, that the layers below are complete: opens them, bottom first. */
function openLowers(line: string, { hostRoot, system }: Host): number[] {
  if (line === '') throw new Error('The parent has ended'); // nobody is left to work for
  const { folders } = JSON.parse(line) as LowersComplete;
  const flags = O.PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return folders.map((path) => system.files.openAt(hostRoot, Buffer.from(path.slice(1)), flags));
}

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) closeSync(fd);
}

/** Everything on the disk, the manifest too should it be on another file system. */
function sync(libc: Libc, manifest: number): void {
  libc.syncfsSync(manifest);
  if (fstatSync(manifest).dev === statSync('/').dev) return;
  const root = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  libc.syncfsSync(root);
  closeSync(root);
}

/** Lines of text from a pipe; '' at its end. Blocks. */
function lineReader(fd: number): () => string {
  let pending = Buffer.alloc(0);
  const buffer = Buffer.alloc(65_536);
  return () => {
    for (;;) {
      const end = pending.indexOf('\n');
      if (end !== -1) {
        const line = pending.toString('utf8', 0, end);
        pending = pending.subarray(end + 1);
        return line;
      }
      const count = readSync(fd, buffer);
      if (count === 0) return '';
      pending = Buffer.concat([pending, buffer.subarray(0, count)]);
    }
  };
}

const PROGRESS_INTERVAL = 100_000_000n; // nanoseconds

function progressReporter(): (bytesRead: number) => void {
  let last = process.hrtime.bigint(); // performance.now() would load a module of Node's, which takes a millisecond
  return (bytesRead) => {
    const now = process.hrtime.bigint();
    if (now - last < PROGRESS_INTERVAL) return;
    last = now;
    send({ kind: 'progress', bytesRead });
  };
}

function send(message: ChildMessage): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length;) done += writeSync(MESSAGES_FD, bytes, done);
}

main().catch((error: unknown) => {
  send({ kind: 'failure', failure: describeFailure(error) });
  process.exitCode = 1;
});
