import { closeSync, constants, openSync, read, write } from 'node:fs';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { diskError, hasErrno } from '../fs/disk-error.ts';
import { O } from '../linux/path-flags.ts';
import type { Program, Step } from '../linux/program.ts';
import { startRunner } from '../linux/runner.ts';

/** A file, open in this process, that the command reads or writes through a pipe. */
export interface CopiedFile {
  /** Descriptor of this process. */
  ours: number;
  /** Those of the command that it is for: 0 alone, or 1, 2 or both. */
  descriptors: number[];
}

export interface CopyingEnd {
  /** Settles when the command has ended. */
  exited: Promise<unknown>;
  /** Processes may be left that hold the pipes open: they are waited for a moment only. */
  mayOutlive: boolean;
}

export interface OpenPipes {
  /** The command's ends, by its descriptors. */
  ends: ReadonlyMap<number, number>;
  /**
   * To be called once, when the command has been started: closes its ends here. Resolves when all that it has written is in the files;
   * rejects with a ToolError for a file that could not be read or written.
   */
  copy: (end: CopyingEnd) => Promise<void>;
  /** Closes all of them, unless they are being copied. */
  close: () => void;
}

export interface PipePlace {
  runnerFolder: string;
  signal?: AbortSignal | undefined;
}

/** Opens a pipe for each file. Throws what startRunner throws and its `started` rejects with, and ERR_STORE for a lack of descriptors. */
export async function openPipes(files: readonly CopiedFile[], place: PipePlace): Promise<OpenPipes> {
  let opened: number[] = [];
  const close = (): void => {
    for (const descriptor of opened) closeSync(descriptor);
  };
  try {
    const links = await withPipes(files.length, place, (paths) =>
      files.map((file, index) => ({ ...file, ...openPipe(paths[index] ?? '', isInput(file), opened) })),
    );
    const ends = links.flatMap(({ descriptors, theirs }) => descriptors.map((number) => [number, theirs] as const));
    const copy = async (end: CopyingEnd): Promise<void> => {
      opened = [];
      return copyAll(links, end);
    };
    return { ends: new Map(ends), copy, close };
  } catch (error) {
    close();
    throw diskError(error, 'open', 'pipe');
  }
}

/**
 * Calls `open` with the paths of `count` new pipes. Node has none to give: its own are sockets, which no path opens, and programs do open
 * /dev/stdout. A named pipe is not the same: who opens it by its path waits for somebody at its other end, who may have gone.
 */
async function withPipes<T>(count: number, place: PipePlace, open: (paths: string[]) => T): Promise<T> {
  const what = 'make a pipe';
  const indices = [...Array(count).keys()];
  const program: Program = [
    ...indices.map((): Step => ({ call: 'pipe2', args: [Buffer.alloc(8), O.CLOEXEC], what })),
    { call: 'write', args: [1, '.', 1], what },
    { call: 'read', args: [0, Buffer.alloc(1), 1], what },
  ];
  const { child, pid, started } = startRunner({ program, stdio: ['pipe', 'pipe', 'ignore'], ...place });
  try {
    const made = new Promise((resolve) => child.stdout?.once('data', resolve));
    await Promise.race([started, made]);
    return open(indices.map((index) => `/proc/${pid}/fd/${FIRST_PIPE + 2 * index}`));
  } finally {
    child.stdin?.destroy();
  }
}

const FIRST_PIPE = 4; // the runner has its streams and the connection with Node; the kernel takes the lowest number that is free

function isInput({ descriptors }: CopiedFile): boolean {
  return descriptors.includes(0);
}

interface Pipe {
  /** The command's end, which waits. */
  theirs: number;
  /** The other one, which does not. */
  end: number;
}

function openPipe(path: string, input: boolean, opened: number[]): Pipe {
  const [theirs, ours] = input ? [constants.O_RDONLY, constants.O_WRONLY] : [constants.O_WRONLY, constants.O_RDONLY];
  const [first, second] = [theirs, ours | constants.O_NONBLOCK].map((flags) => {
    const descriptor = openSync(path, flags);
    opened.push(descriptor);
    return descriptor;
  }) as [number, number];
  return { theirs: first, end: second };
}

type Link = CopiedFile & Pipe;

async function copyAll(links: readonly Link[], { exited, mayOutlive }: CopyingEnd): Promise<void> {
  for (const { theirs } of links) closeSync(theirs);
  const [noReader, noWriter] = [new AbortController(), new AbortController()];
  const onEnd = async (): Promise<void> => {
    noReader.abort();
    if (!mayOutlive) return; // the kernel has closed all of them
    await setTimeout(PATIENCE_MS, undefined, { ref: false });
    noWriter.abort();
  };
  exited.then(onEnd, onEnd);
  const copies = links.map(async (link) =>
    isInput(link) ? copyIn(link, noReader.signal) : copyOut(link, noWriter.signal),
  );
  const failed = (await Promise.allSettled(copies)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

const PATIENCE_MS = 1000;

/** From where the file is now to its end, unless the command ends or closes its descriptor before. */
async function copyIn({ ours, end }: Link, signal: AbortSignal): Promise<void> {
  const target = new Socket({ fd: end, readable: false, writable: true });
  try {
    await pipeline(chunksOf(ours), target, { signal });
  } catch (error) {
    if (!signal.aborted && !hasErrno(error, 'EPIPE')) throw diskError(error, 'read', 'standard input');
  }
}

/** Where the file cannot be written to, the command's pipe breaks. */
async function copyOut({ ours, end, descriptors }: Link, signal: AbortSignal): Promise<void> {
  const source = new Socket({ fd: end, readable: true, writable: false });
  try {
    await pipeline(source, async (chunks: AsyncIterable<Buffer>) => writeChunks(ours, chunks), { signal });
  } catch (error) {
    const name = descriptors.includes(1) ? 'standard output' : 'standard error';
    if (!signal.aborted) throw diskError(error, 'write', name);
  }
}

const CHUNK = 1 << 20; // bytes

async function* chunksOf(descriptor: number): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await promisify(read)(descriptor, Buffer.allocUnsafe(CHUNK), 0, CHUNK, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function writeChunks(descriptor: number, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) {
    let written = 0;
    while (written < chunk.length) {
      written += (await promisify(write)(descriptor, chunk, written)).bytesWritten;
    }
  }
}
