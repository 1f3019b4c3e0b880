import { createRequire } from 'node:module';

import { ToolError } from '../errors.ts';

/** What is used of koffi: functions of C libraries, by their C types. */
export interface Koffi {
  /** `null` is what Node itself has loaded. */
  load(path: string | null): { func(name: string, result: string, parameters: string[]): NativeFunction };
  errno(): number;
  address(bytes: Uint8Array): bigint;
  decode(address: bigint, type: 'char', length: number): string;
}

/** `async` calls it on a thread of libuv's pool; its last argument is a callback. */
export type NativeFunction = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void };

/** Not loaded with a module: it costs 8 to 13 ms, and stays cached by Node. Throws ERR_HOST where it has no binary for this machine. */
export function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new ToolError('ERR_HOST', 'Cannot load "koffi": it has no usable binary for this machine', {
      hint: 'Install the packages of mydocker again on this machine: koffi brings a binary per processor and C library.',
      cause,
    });
  }
}
