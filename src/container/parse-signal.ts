import { constants } from 'node:os';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/**
 * Reads a signal as docker does: a number, or a name with or without SIG, in any case; `RTMIN+n` and `RTMAX-n` are real-time signals.
 * @throws {ToolError} ERR_USAGE
 */
export function parseSignal(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : numberOf(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1 || number > LAST) {
    throw new ToolError('ERR_USAGE', `invalid signal: ${printable(text)}`);
  }
  return number;
}

/** As parseSignal; undefined for what is none, which an image may hold. */
export function signalOfImage(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : parseSignal(text);
  } catch {
    return undefined;
  }
}

const [FIRST_REAL_TIME, LAST] = [34, 64]; // as glibc counts: the two before are its own
const OTHER_NAMES: Readonly<Record<string, number>> = { CLD: constants.signals.SIGCHLD };

function numberOf(name: string): number | undefined {
  const [, from, , sign, distance = '0'] = /^(RTMIN|RTMAX)((\+|-)(\d{1,2}))?$/.exec(name) ?? [];
  if (from === 'RTMIN' && sign !== '-') return FIRST_REAL_TIME + Number(distance);
  if (from === 'RTMAX' && sign !== '+') return atLeast(LAST - Number(distance), FIRST_REAL_TIME);
  const names: Readonly<Record<string, number>> = constants.signals;
  if (Object.hasOwn(OTHER_NAMES, name)) return OTHER_NAMES[name];
  return Object.hasOwn(names, `SIG${name}`) ? names[`SIG${name}`] : undefined;
}

function atLeast(number: number, least: number): number | undefined {
  return number < least ? undefined : number;
}
