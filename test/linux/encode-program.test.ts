import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeProgram } from '../../src/linux/encode-program.ts';
import type { Arg, Program, Step } from '../../src/linux/program.ts';

const ADDRESS = 0x2000000000; // where runner-x64.S loads the program
const ROW_SIZE = 0x78;
const LAYOUT = { held: 3, control: 5 };
const SIGCHLD = 17;

/** A program as the runner sees it. */
class Memory {
  readonly bytes: Buffer;
  constructor(program: Program) {
    this.bytes = encodeProgram(program, 'x64', LAYOUT);
  }
  word(at: number): bigint {
    return this.bytes.readBigUInt64LE(at);
  }
  signed(at: number): number {
    return Number(this.bytes.readBigInt64LE(at));
  }
  row(index: number): number {
    return 8 + index * ROW_SIZE;
  }
  arg(row: number, index: number): number {
    return this.row(row) + 0x48 + index * 8;
  }
  /** The offset that the address in the word at `at` stands for. */
  target(at: number): number {
    return Number(this.word(at)) - ADDRESS;
  }
  text(at: number): string {
    return this.bytes.toString('utf8', at, this.bytes.indexOf(0, at));
  }
  words(at: number): number[] {
    const values: number[] = [];
    for (let offset = at; this.word(offset) !== 0n; offset += 8) values.push(this.signed(offset));
    return values;
  }
}

function step(args: Arg[], more: Partial<Step> = {}): Step {
  return { call: 'getpid', args, what: 'test', ...more };
}

describe('encodeProgram()', () => {
  it('starts with its own length and ends with exit_group(0)', () => {
    const memory = new Memory([step([])]);
    expect(memory.signed(0)).toBe(memory.bytes.length);
    expect(memory.signed(memory.row(0))).toBe(39);
    expect(memory.signed(memory.row(1))).toBe(231);
    expect(memory.signed(memory.arg(1, 0))).toBe(0);
  });

  it.each<[string, number | bigint, bigint]>([
    ['zero', 0, 0n],
    ['a number above 32 bits', 0x2_0000_0001, 0x2_0000_0001n],
    ['-1', -1, 0xffff_ffff_ffff_ffffn],
    ['AT_FDCWD', -100, 0xffff_ffff_ffff_ff9cn],
    ['the lowest number', Number.MIN_SAFE_INTEGER, 0xffe0_0000_0000_0001n],
    ['a bigint', 0xffff_ffff_0000_0001n, 0xffff_ffff_0000_0001n],
    ['a negative bigint', -2n, 0xffff_ffff_ffff_fffen],
  ])('writes %s as the kernel reads it', (_title, value, word) => {
    const memory = new Memory([step([value])]);
    expect(memory.word(memory.arg(0, 0))).toBe(word);
  });

  it('points to texts, bytes, arrays and structs', () => {
    const memory = new Memory([
      step(['/ü', Buffer.from([1, 0, 2]), { pointers: ['a', Buffer.from('b')] }, { words: [7, 'c', { words: [8] }] }]),
    ]);
    expect(memory.text(memory.target(memory.arg(0, 0)))).toBe('/ü');
    const bytes = memory.target(memory.arg(0, 1));
    expect([...memory.bytes.subarray(bytes, bytes + 4)]).toEqual([1, 0, 2, 0]);
    const pointers = memory.target(memory.arg(0, 2));
    expect(memory.text(memory.target(pointers))).toBe('a');
    expect(memory.text(memory.target(pointers + 8))).toBe('b');
    expect(memory.word(pointers + 16)).toBe(0n);
    const words = memory.target(memory.arg(0, 3));
    expect(memory.word(words)).toBe(7n);
    expect(memory.text(memory.target(words + 8))).toBe('c');
    expect(memory.word(memory.target(words + 16))).toBe(8n);
  });

  it('lists for every saved result the words that want it', () => {
    const memory = new Memory([
      step([], { save: 'a' }),
      step([{ result: 'a' }, { words: [{ result: 'a' }] }]),
      step([], { save: 'a' }),
      step([], { save: 'unused' }),
      step([{ result: 'a' }]),
    ]);
    const uses = [memory.arg(1, 0), memory.target(memory.arg(1, 1)), memory.arg(4, 0)];
    for (const use of uses) expect(memory.signed(use)).toBe(-1);
    const lists = [0, 1, 2, 3, 4].map((row) => memory.words(memory.target(memory.row(row) + 0x30)));
    const addresses = uses.map((use) => ADDRESS + use);
    expect(lists).toEqual([addresses, [], addresses, [], []]);
  });

  it('sets the bits of ignored errors, from the first to the last', () => {
    const memory = new Memory([
      step([], { ignore: ['EPERM', 'EADV', 'EHWPOISON'] }),
      step([], { ignore: 'all' }),
      step([]),
    ]);
    const mask = (row: number): bigint[] => [0x10, 0x18, 0x20].map((at) => memory.word(memory.row(row) + at));
    expect(mask(0)).toEqual([1n << 1n, 1n << 4n, 1n << 5n]);
    expect(mask(1)).toEqual(Array.from({ length: 3 }, () => (1n << 64n) - 1n));
    expect(mask(2)).toEqual([0n, 0n, 0n]);
  });

  it('numbers rows by their step and jumps over whole steps', () => {
    const fork: Step = { call: 'clone', args: [SIGCHLD], fork: true, what: 'fork' };
    const memory = new Memory([step([], { skipOnSuccess: 1 }), fork, step([], { skipOnSuccess: 0 })]);
    const rows = [0, 1, 2, 3, 4, 5, 6];
    expect(rows.map((row) => memory.signed(memory.row(row) + 0x28))).toEqual([0, 1, 1, 1, 1, 1, 2]);
    expect(rows.map((row) => memory.signed(memory.row(row) + 0x38) / ROW_SIZE)).toEqual([6, 1, 1, 1, 1, 1, 1]);
  });

  it('blocks signals before a fork, arranges for the end of the parent, and unblocks them in the child', () => {
    const memory = new Memory([{ call: 'clone', args: [SIGCHLD], fork: { forward: 'group' }, what: 'fork' }]);
    const calls = [0, 1, 2, 3, 4, 5].map((row) => memory.signed(memory.row(row)));
    expect(calls).toEqual([14, 157, 157, 56, 14, 231]); // rt_sigprocmask, prctl twice, clone, rt_sigprocmask, exit_group
    expect(memory.word(memory.target(memory.arg(0, 1)))).toBe((1n << 64n) - 1n);
    expect(memory.word(memory.target(memory.arg(4, 1)))).toBe(0n);
    expect([0, 1, 2, 4].map((row) => memory.word(memory.row(row) + 0x40))).toEqual([0n, 0n, 0n, 0n]);
    const fork = memory.target(memory.row(3) + 0x40);
    const SIGSTKFLT = 16;
    expect([8, 16, 24, 32].map((at) => memory.signed(fork + at))).toEqual([-1, SIGSTKFLT, LAYOUT.held, LAYOUT.control]);
    const forwarded = Array.from({ length: 64 }, (_, bit) => bit + 1).filter(
      (n) => (memory.word(fork) >> BigInt(n - 1)) & 1n,
    );
    const kept = [13, 16, 17, 20, 21, 22, 23]; // PIPE, STKFLT, CHLD, TSTP, TTIN, TTOU, URG
    expect(forwarded).toEqual(Array.from({ length: 64 }, (_, bit) => bit + 1).filter((n) => !kept.includes(n)));
  });

  it.each<[string, Program]>([
    ['a text with a NUL', [step(['a\0b'])]],
    ['such a text in an array', [step([{ pointers: ['a\0b'] }])]],
    ['seven arguments', [step([1, 2, 3, 4, 5, 6, 7])]],
    ['a result that nobody saves', [step([{ result: 'a' }])]],
    ['a result that is saved later', [step([{ result: 'a' }]), step([], { save: 'a' })]],
    ['a result of the step itself', [step([{ result: 'a' }], { save: 'a' })]],
    ['a jump beyond the end', [step([], { skipOnSuccess: 1 })]],
    ['a jump backwards', [step([]), step([], { skipOnSuccess: -1 })]],
    ['a fork that wakes nobody', [{ call: 'clone', args: [0], fork: true, what: 'fork' }]],
    ['a fork that shares its memory', [{ call: 'clone', args: [SIGCHLD + 0x100], fork: true, what: 'fork' }]],
    [
      'a clone3 that wakes nobody',
      [{ call: 'clone3', args: [{ words: [0, 0, 0, 0, 0] }, 40], fork: true, what: 'fork' }],
    ],
    [
      'a clone3 in bytes, which nobody can check',
      [{ call: 'clone3', args: [Buffer.alloc(64), 64], fork: true, what: 'fork' }],
    ],
    ['a fork that is none', [step([], { fork: true })]],
    ['a fork that skips', [{ call: 'clone', args: [SIGCHLD], fork: true, skipOnSuccess: 0, what: 'fork' }]],
    ['a number that is not an integer', [step([1.5])]],
    ['a number that is too large to be exact', [step([2 ** 53])]],
  ])('refuses %s', (_title, program) => {
    expect(() => new Memory(program)).toThrow();
  });

  it('keeps every pointer inside, aligned, and apart from all others', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replaceAll('\0', ''));
    const texts = fc.array(fc.array(text, { maxLength: 6 }), { maxLength: 40 });
    const large = fc.integer({ min: 0, max: 100_000 }).map((size) => 'x'.repeat(size));
    fc.assert(
      fc.property(texts, large, (lists, last) => {
        const rows = [...lists, [last]];
        const memory = new Memory(rows.map((args) => step(args)));
        let end = memory.row(rows.length + 1);
        for (const [row, args] of rows.entries()) {
          for (const [index, arg] of args.entries()) {
            const at = memory.target(memory.arg(row, index));
            expect(at % 8).toBe(0);
            expect(at).toBeGreaterThanOrEqual(end);
            expect(memory.text(at)).toBe(arg);
            end = at + Buffer.byteLength(arg) + 1;
          }
        }
        expect(end).toBeLessThanOrEqual(memory.bytes.length);
      }),
      { numRuns: 50 },
    );
  });
});
