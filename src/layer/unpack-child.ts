import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';

import { bindFileCalls, type FileCalls } from '../linux/libc-files.ts';
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
import { explainVerifyFailure } from './explain-failure.ts';
import { describeFailure } from './failure.ts';
import { readManifest } from './read-manifest.ts';
import { compareRoot, prepareRoot } from './root-folder.ts';
import { CHILD_FDS } from './unpack-job.ts';
import type { ChildJob, ChildMessage, LowersComplete, UnpackJob, VerifyJob } from './unpack-job.ts';

/**
 * The entry point of the process that unpacks or verifies one layer and ends. Its root is the layer's folder before it looks at the
 * archive or the tree, so that the kernel keeps every path inside.
 */
async function main(): Promise<void> {
  const readLine = lineReader(STANDARD_INPUT);
  const job = JSON.parse(readLine()) as ChildJob;
  const host = loadFromHost(job);
  host.self.dieWithParent();
  if (job.parent !== undefined && job.parent !== process.ppid) return; // it has ended before that
  process.umask(0);
  host.self.chroot(job.folder);
  process.chdir('/');
  if (job.kind === 'unpack') await unpack(job, host, readLine);
  else verify(job, host);
}

const STANDARD_INPUT = 0;

async function unpack(job: UnpackJob, { system, libc, hostRoot }: Host, readLine: () => string): Promise<void> {
  prepareRoot(system.xattrs);
  const result = await applyLayer({
    ...job,
    system,
    blob: openBlob(progressReporter()),
    manifest: CHILD_FDS.manifest,
    openLowers: () => openLowers(readLine(), { hostRoot, files: system.files }),
  });
  sync(libc);
  send({ kind: 'result', ...result });
}

function verify({ label, comparesOwners }: VerifyJob, { system: { xattrs } }: Host): void {
  try {
    const onDifference = (path: string, difference: string): void => send({ kind: 'difference', path, difference });
    const comparison = { xattrs, comparesOwners, onDifference };
    compareRoot(comparison);
    compareTree(readManifest(CHILD_FDS.manifest), comparison);
  } catch (error) {
    throw explainVerifyFailure(error, label);
  }
  send({ kind: 'verified' });
}

interface Host {
  /** The root of the host, which stays open for the layers below. Opened with O_PATH. */
  hostRoot: number;
  self: ProcessCalls;
  libc: Libc;
  system: SystemCalls;
}

/** Loads everything that is in files of the host. What was loaded later would come from the image. */
function loadFromHost(job: ChildJob): Host {
  const binding = bindLibc();
  // OpenSSL sets an algorithm up when it is wanted for the first time.
  hash('sha256', '');
  if (job.kind === 'unpack') createHash(digestAlgorithm(job.diffId)).digest();
  const decoders = { gzip: createGzipDecoder(), zstd: job.kind === 'unpack' ? zstdDecoder() : undefined };
  return {
    hostRoot: openSync('/', O.PATH | constants.O_DIRECTORY),
    self: bindProcessCalls(binding),
    libc: loadLibc(),
    system: { files: bindFileCalls(binding), xattrs: bindXattrCalls(binding), decoders },
  };
}

/** Only for a layer that is compressed so: loading libzstd takes longer than the rest. */
function zstdDecoder(): StreamDecoder | undefined {
  const nobody = (): void => undefined;
  return isZstd(readBlob(openBlob(nobody), Buffer.alloc(4), 0)) ? createZstdDecoder() : undefined;
}

function openBlob(onRead: (bytesRead: number) => void): BlobSource {
  return { fd: CHILD_FDS.blob, size: fstatSync(CHILD_FDS.blob).size, onRead };
}

/** Waits until the parent says that the layers below are complete, and opens them; bottom first. */
function openLowers(line: string, { hostRoot, files }: { hostRoot: number; files: FileCalls }): number[] {
  if (line === '') throw new Error('The parent has ended'); // nobody is left to work for
  const { folders } = JSON.parse(line) as LowersComplete;
  const flags = O.PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return folders.map((path) => files.openAt(hostRoot, Buffer.from(path.slice(1)), flags));
}

/** Everything on the disk, the manifest too should it be on another file system. */
function sync(libc: Libc): void {
  libc.syncfsSync(CHILD_FDS.manifest);
  if (fstatSync(CHILD_FDS.manifest).dev === statSync('/').dev) return;
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
  for (let done = 0; done < bytes.length;) done += writeSync(CHILD_FDS.messages, bytes, done);
}

main().catch((error: unknown) => {
  send({ kind: 'failure', failure: describeFailure(error) });
  process.exitCode = 1;
});
