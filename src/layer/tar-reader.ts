import { Refusal } from './refusal.ts';
import { readArchive, type TarProgress, type TarSink } from './read-archive.ts';
import { BLOCK_SIZE } from './tar-header.ts';

export interface TarReader {
  /** Takes the next bytes of the archive, in pieces of any size. */
  write(bytes: Buffer): void;
  /** To be called when there are no more. */
  finish(): void;
  /** Where the reader is, for error messages. */
  readonly progress: Readonly<TarProgress>;
}

/**
 * A strict, synchronous, streaming reader of tar archives; see `readArchive` for what it accepts. Holds at most one header.
 * `write` and `finish` throw a `Refusal`, and what the sink throws; the reader is of no use after that.
 */
export function createTarReader(sink: TarSink): TarReader {
  const progress: TarProgress = { entries: 0, isInEntry: false, entryName: undefined };
  const feed = new Feed(readArchive(sink, progress), sink);
  return {
    write: (bytes) => feed.write(bytes),
    finish: () => feed.finish(),
    progress,
  };
}

/** Gives a parser the bytes that it asks for, however they arrive. */
class Feed {
  private readonly parser: ReturnType<typeof readArchive>;
  private readonly sink: TarSink;
  private need: 'block' | 'bytes' | 'content' | 'padding' | 'nothing' = 'nothing';
  /** Bytes that are missing until the need is met. */
  private missing = 0;
  /** What there is of a block or of bytes so far; `content` and `padding` are not kept. */
  private collected: Buffer = Buffer.alloc(0);
  private readonly block = Buffer.alloc(BLOCK_SIZE);
  /** Where in the file the next content belongs. */
  private position = 0;

  constructor(parser: ReturnType<typeof readArchive>, sink: TarSink) {
    this.parser = parser;
    this.sink = sink;
    this.resume(undefined);
  }

  write(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.need !== 'nothing') at += this.take(bytes, at);
  }

  finish(): void {
    if (this.need === 'padding') this.resume(NOTHING); // an archive may be cut in what fills its last block
    if (this.need === 'nothing') return;
    if (this.need !== 'block' || this.missing !== BLOCK_SIZE) throw new Refusal('the archive is cut off');
    this.resume(undefined);
  }

  /** Answers how many bytes it took. */
  private take(bytes: Buffer, at: number): number {
    const taken = Math.min(this.missing, bytes.length - at);
    if (this.need === 'block' && taken === BLOCK_SIZE) {
      this.resume(bytes.subarray(at, at + taken)); // the usual case: in place
      return taken;
    }
    if (this.need === 'content') {
      this.sink.data(bytes.subarray(at, at + taken), this.position);
      this.position += taken;
    } else if (this.need !== 'padding') {
      bytes.copy(this.collected, this.collected.length - this.missing, at, at + taken);
    }
    this.missing -= taken;
    if (this.missing === 0) this.resume(this.collected);
    return taken;
  }

  /** Lets the parser go on until it asks for something that is not there yet. */
  private resume(answer: Buffer | undefined): void {
    let result = this.parser.next(answer);
    while (result.done !== true && result.value.kind !== 'block' && result.value.length === 0) {
      result = this.parser.next(NOTHING);
    }
    if (result.done === true) {
      this.need = 'nothing';
      return;
    }
    const { value } = result;
    this.need = value.kind;
    this.missing = value.kind === 'block' ? BLOCK_SIZE : value.length;
    if (value.kind === 'content') this.position = value.position;
    if (value.kind === 'block') this.collected = this.block;
    if (value.kind === 'bytes') this.collected = Buffer.alloc(value.length);
  }
}

const NOTHING = Buffer.alloc(0);
