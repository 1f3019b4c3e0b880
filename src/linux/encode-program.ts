import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { errnoNumber } from './errno.ts';
import { DEATH_SIGNAL, forkSteps, forwardedSignals } from './fork-steps.ts';
import { SIGNAL } from './process-flags.ts';
import type { Arg, Program, Step } from './program.ts';
import { syscallNumber, type Machine } from './syscalls.ts';

// What the runners (runner-x64.S and its like) read: the address where it loads the program, and offsets in bytes.
const PROGRAM_ADDRESS = 0x2000000000;
const FIRST_ROW = 0x08;
const ROW = { nr: 0x00, atLeast: 0x08, ignore: 0x10, step: 0x28, results: 0x30, next: 0x38, fork: 0x40, args: 0x48 };
const ROW_SIZE = 0x78;
const IGNORE_SIZE = 24; // 192 bits, of which errors use 134
const MAX_ARGS = 6;

/** Numbers of the runner's descriptors: the command's are below `held`, those that waiters keep from there up to `control`. */
export interface DescriptorLayout {
  held: number;
  control: number;
}

/**
 * The bytes that the runner loads and executes; it reports a step by its index in `program`.
 * Throws ToolError ERR_USAGE for a text with a NUL byte, TypeError for a program that makes no sense.
 */
export function encodeProgram(program: Program, machine: Machine, layout: DescriptorLayout): Buffer {
  const rows = toRows(program);
  const encoding: Encoding = { machine, layout, ...memory(INITIAL_SIZE), length: 0, wanted: new Map() };
  reserve(encoding, FIRST_ROW + (rows.length + 1) * ROW_SIZE);

  for (const [position, row] of rows.entries()) encodeRow(encoding, row, rowOffset(position));
  writeWord(encoding, rowOffset(rows.length) + ROW.nr, syscallNumber(machine, 'exit_group')); // with 0, behind the last step

  const nowhere = appendWords(encoding, [0]);
  const lists = new Map<string, number>(); // who wants a result is known only when all rows are done
  for (const [name, addresses] of encoding.wanted) lists.set(name, appendWords(encoding, [...addresses, 0]));
  for (const [position, { step }] of rows.entries()) {
    writeWord(encoding, rowOffset(position) + ROW.results, lists.get(step.save ?? '') ?? nowhere);
  }
  writeWord(encoding, 0, encoding.length);
  return encoding.bytes.subarray(0, encoding.length);
}

/** What the runner executes; `index` is the step it belongs to, `next` the distance in rows to what follows its success. */
interface Row {
  step: Step;
  index: number;
  next: number;
}

interface Encoding {
  machine: Machine;
  layout: DescriptorLayout;
  /** Zeros from `length` on. */
  bytes: Buffer;
  /** The same memory; all machines of the list of system calls are little endian. */
  words: Uint32Array;
  length: number;
  /** Name of a result -> addresses of the words that get it. */
  wanted: Map<string, number[]>;
}

const INITIAL_SIZE = 0x8000; // bytes; a usual container fits

function toRows(program: Program): Row[] {
  const rows: Row[] = [];
  const firstRows: number[] = [];
  for (const [index, step] of program.entries()) {
    firstRows.push(rows.length);
    const parts = step.fork === undefined ? [step] : forkSteps(checkedFork(step));
    for (const part of parts) rows.push({ step: part, index, next: 1 });
  }
  firstRows.push(rows.length);
  for (const [position, row] of rows.entries()) {
    const { skipOnSuccess, what } = row.step;
    if (skipOnSuccess === undefined) continue;
    const target = firstRows[row.index + 1 + skipOnSuccess];
    if (target === undefined || skipOnSuccess < 0) throw new TypeError(`"${what}" skips steps that do not exist`);
    row.next = target - position;
  }
  return rows;
}

/** A waiter is woken by SIGCHLD only, which the kernel sends when the fork asks for it; and two halves cannot share one stack. */
function checkedFork(step: Step): Step {
  const [first] = step.args;
  const flags = step.call === 'clone' && typeof first === 'number' ? first % (2 * CLONE_VM) : undefined;
  const struct = step.call === 'clone3' && typeof first === 'object' && 'words' in first ? first.words : [];
  if (flags !== SIGNAL.CHLD && struct[CLONE_ARGS_EXIT_SIGNAL] !== SIGNAL.CHLD) {
    throw new TypeError(`"${step.what}" must be clone or clone3 with SIGCHLD and without CLONE_VM to be a fork`);
  }
  if (step.skipOnSuccess !== undefined) throw new TypeError(`"${step.what}" is a fork and cannot skip steps`);
  return step;
}

const CLONE_VM = 0x100;
const CLONE_ARGS_EXIT_SIGNAL = 4; // the fifth word of struct clone_args

function encodeRow(encoding: Encoding, { step, index, next }: Row, at: number): void {
  if (step.args.length > MAX_ARGS) throw new TypeError(`"${step.what}" has more than ${MAX_ARGS} arguments`);
  writeWord(encoding, at + ROW.nr, syscallNumber(encoding.machine, step.call));
  writeWord(encoding, at + ROW.atLeast, step.atLeast ?? 0);
  writeIgnored(encoding, at + ROW.ignore, step.ignore ?? []);
  writeWord(encoding, at + ROW.step, index);
  writeWord(encoding, at + ROW.next, next * ROW_SIZE);
  if (step.fork !== undefined) writeWord(encoding, at + ROW.fork, appendFork(encoding, step));
  encodeArgs(encoding, step.args, { at: at + ROW.args, what: step.what });
  if (step.save !== undefined && !encoding.wanted.has(step.save)) encoding.wanted.set(step.save, []);
}

function encodeArgs(encoding: Encoding, args: readonly Arg[], { at, what }: { at: number; what: string }): void {
  for (const [index, arg] of args.entries()) {
    const slot = at + index * 8;
    writeWord(encoding, slot, argValue(encoding, arg, { slot, what }));
  }
}

/** What goes into the word at offset `slot`. */
function argValue(encoding: Encoding, arg: Arg, { slot, what }: { slot: number; what: string }): number | bigint {
  if (typeof arg === 'number' || typeof arg === 'bigint') return arg;
  if (typeof arg === 'string') return appendText(encoding, arg, what);
  if (arg instanceof Uint8Array) return appendBytes(encoding, arg);
  if ('words' in arg) return appendArgs(encoding, arg.words, what);
  if ('pointers' in arg) return appendArgs(encoding, [...arg.pointers, 0], what);
  if ('descriptor' in arg) return encoding.layout.control;
  const addresses = encoding.wanted.get(arg.result);
  if (addresses === undefined) throw new TypeError(`"${what}" wants "${arg.result}", which no earlier step saves`);
  addresses.push(PROGRAM_ADDRESS + slot);
  return -1; // until there is a result: never a descriptor, as 0 would be
}

/** These return the address of what they append, a multiple of 8. */
function appendText(encoding: Encoding, text: string, what: string): number {
  if (text.includes('\0')) {
    throw new ToolError('ERR_USAGE', `Cannot ${what}: "${printable(text)}" contains a NUL byte, which would end it`);
  }
  const at = reserve(encoding, Buffer.byteLength(text) + 1);
  encoding.bytes.write(text, at);
  return PROGRAM_ADDRESS + at;
}

function appendBytes(encoding: Encoding, bytes: Uint8Array): number {
  const at = reserve(encoding, bytes.length + 1);
  encoding.bytes.set(bytes, at);
  return PROGRAM_ADDRESS + at;
}

function appendArgs(encoding: Encoding, args: readonly Arg[], what: string): number {
  const at = reserve(encoding, args.length * 8);
  encodeArgs(encoding, args, { at, what });
  return PROGRAM_ADDRESS + at;
}

function appendWords(encoding: Encoding, words: readonly (number | bigint)[]): number {
  const at = reserve(encoding, words.length * 8);
  for (const [index, word] of words.entries()) writeWord(encoding, at + index * 8, word);
  return PROGRAM_ADDRESS + at;
}

/** The runner's Fork: signals to pass on, to whom (1: the child, -1: its group), the death signal, descriptors to keep. */
function appendFork(encoding: Encoding, { fork }: Step): number {
  const toGroup = typeof fork === 'object' && fork.forward === 'group';
  const { held, control } = encoding.layout;
  return appendWords(encoding, [forwardedSignals(), toGroup ? -1 : 1, DEATH_SIGNAL, held, control]);
}

/** Makes room for `size` bytes of zeros at the end; returns their offset. */
function reserve(encoding: Encoding, size: number): number {
  const at = encoding.length;
  encoding.length += (size + 7) & ~7;
  if (encoding.length > encoding.bytes.length) {
    const smaller = encoding.bytes;
    Object.assign(encoding, memory(encoding.length * 2));
    encoding.bytes.set(smaller);
  }
  return at;
}

function memory(size: number): Pick<Encoding, 'bytes' | 'words'> {
  const buffer = new ArrayBuffer((size + 7) & ~7);
  return { bytes: Buffer.from(buffer), words: new Uint32Array(buffer) };
}

function writeIgnored({ bytes }: Encoding, at: number, ignore: NonNullable<Step['ignore']>): void {
  if (ignore === 'all') {
    bytes.fill(0xff, at, at + IGNORE_SIZE);
    return;
  }
  for (const name of ignore) {
    const bit = errnoNumber(name);
    const byte = at + (bit >> 3);
    bytes.writeUInt8(bytes.readUInt8(byte) | (1 << (bit & 7)), byte);
  }
}

/** Through 32-bit words: the methods of Buffer and conversions to bigint made this the slowest part of a first launch. */
function writeWord({ words }: Encoding, at: number, value: number | bigint): void {
  const index = at / 4;
  if (typeof value === 'bigint') {
    words[index] = Number(BigInt.asUintN(32, value));
    words[index + 1] = Number(BigInt.asUintN(32, value >> 32n));
    return;
  }
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not an integer that a system call could take`);
  words[index] = value; // modulo 2 ** 32, in two's complement
  words[index + 1] = Math.floor(value / 2 ** 32);
}

function rowOffset(position: number): number {
  return FIRST_ROW + position * ROW_SIZE;
}
