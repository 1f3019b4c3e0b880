// Loaded into a child program before anything else: makes one call to the file system fail, or kills the process before it.
// FAULT=<call or *>:<n>:<kill or errno name>, with a + at the end for all calls from the nth on; FAULT=::short lets
// write(2) take only half of what it is given. FAULT_LOG=1 writes every counted call to fd 2. Calls that only read do not count.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Functions = Record<string, AnyFunction>;

const COUNTED = 'chmod fchmod fsync ftruncate link mkdir open rename rm rmdir unlink write'.split(' ');
const OF_HANDLES = { chmod: 'fchmod', sync: 'fsync', truncate: 'ftruncate', write: 'write', writeFile: 'write' };

const [wantedCall = '', wantedCount, effect = ''] = (process.env['FAULT'] ?? '').split(':');
const logs = process.env['FAULT_LOG'] !== undefined;
const writeSync = fs.writeSync;

interface Wanted {
  call: string;
  count: number;
  effect: string;
  counted: number;
}

// Shared by the copy that is loaded first and the one that is part of the program.
const shared = globalThis as { wantedFault?: Wanted };
shared.wantedFault ??= { call: wantedCall, count: Number(wantedCount), effect, counted: 0 };
const wanted = shared.wantedFault;

/** Changes what fails, counting from now on. Answers a function that tells whether it has come to that. */
export function failCall(call: string, count: number, effect: string): () => boolean {
  Object.assign(wanted, { call, count, effect, counted: 0 });
  return () => wanted.counted >= count;
}

/** Answers the error to fail with, if it is this call's turn. */
function fault(call: string, subject: unknown, flags: unknown): Error | undefined {
  if (call === 'open' && !isForWriting(flags)) return undefined;
  if (logs) writeSync(2, `${call} ${typeof subject === 'number' ? pathOf(subject) : String(subject)}\n`);
  if (wanted.call !== call && wanted.call !== '*') return undefined;
  wanted.counted += 1;
  const effect = wanted.effect.replace('+', '');
  if (wanted.counted < wanted.count || (effect === wanted.effect && wanted.counted > wanted.count)) return undefined;
  if (effect === 'kill') process.kill(process.pid, 'SIGKILL');
  const errno = -os.constants.errno[effect as 'EIO'];
  const code = effect === 'EDQUOT' ? `Unknown system error ${errno}` : effect; // as libuv has it
  return Object.assign(new Error(`${code}: injected, ${call}`), { errno, code, syscall: call });
}

function isForWriting(flags: unknown): boolean {
  return typeof flags === 'number' ? (flags & 3) !== 0 : typeof flags === 'string' && flags !== 'r';
}

function pathOf(fd: number): string {
  return fs.readlinkSync(`/proc/self/fd/${fd}`);
}

function replace(functions: Functions, name: string, wrap: (original: AnyFunction) => AnyFunction): void {
  const original = functions[name];
  if (original === undefined) return;
  const wrapper = wrap(original);
  Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original)); // util.promisify reads some
  functions[name] = wrapper;
}

const throwing =
  (call: string) =>
  (original: AnyFunction): AnyFunction =>
    function (...args) {
      const subject = Object(this) === this && 'fd' in (this as object) ? (this as { fd: number }).fd : args[0];
      const error = subject === 2 ? undefined : fault(call, subject, args[1]);
      if (error !== undefined) throw error;
      return original.apply(this, args);
    };

const rejecting =
  (call: string) =>
  (original: AnyFunction): AnyFunction => {
    const checked = throwing(call)(original);
    return async function (...args) {
      return checked.apply(this, args);
    };
  };

const callingBack =
  (call: string) =>
  (original: AnyFunction): AnyFunction =>
    function (...args) {
      if (call === 'write' && wanted.effect === 'short') args[3] = Math.ceil(Number(args[3]) / 2);
      const error = fault(call, args[0], args[1]);
      if (error === undefined) return original.apply(this, args);
      process.nextTick(args.at(-1) as (error: Error) => void, error);
      return undefined;
    };

if (process.execArgv.includes('--import') && !('isFaulty' in shared)) await install();

async function install(): Promise<void> {
  Object.assign(shared, { isFaulty: true });
  for (const call of COUNTED) {
    replace(fs as unknown as Functions, call, callingBack(call));
    replace(fs as unknown as Functions, `${call}Sync`, throwing(call));
    replace(fs.promises as unknown as Functions, call, rejecting(call));
  }
  const handle = await fs.promises.open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as Functions;
  await handle.close();
  for (const [method, call] of Object.entries(OF_HANDLES)) replace(prototype, method, rejecting(call));
  syncBuiltinESMExports();
}
