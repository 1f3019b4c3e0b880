import { ToolError } from '../errors.ts';
import { RLIMIT } from '../linux/process-flags.ts';
import { printable } from '../printable.ts';

/** A resource limit, in the units of setrlimit(2). */
export interface Ulimit {
  resource: keyof typeof RLIMIT;
  soft: bigint;
  hard: bigint;
}

/** RLIM_INFINITY: no limit. */
export const UNLIMITED: bigint = (1n << 64n) - 1n;

/**
 * Reads one `--ulimit`: `NAME=SOFT[:HARD]`, where -1 is no limit.
 * @throws {ToolError} ERR_USAGE, with docker's texts
 */
export function parseUlimit(text: string): Ulimit {
  const [, name = '', softText = '', hardText = softText] = /^([^=]*)=([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (softText === '') throw invalid(`invalid ulimit argument: ${printable(text)}`);
  const resource = RESOURCES.get(name);
  if (resource === undefined) throw invalid(`invalid ulimit type: ${printable(name)}`);
  const [soft, hard] = [parseLimit(softText, text), parseLimit(hardText, text)];
  if (soft > hard) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${softText} > ${hardText}`);
  }
  return { resource, soft, hard };
}

const RESOURCES: ReadonlyMap<string, keyof typeof RLIMIT> = new Map(
  (Object.keys(RLIMIT) as (keyof typeof RLIMIT)[]).map((name) => [name.toLowerCase(), name]),
);

function parseLimit(limit: string, text: string): bigint {
  if (limit === '-1') return UNLIMITED;
  if (/^\d{1,18}$/.test(limit)) return BigInt(limit);
  throw invalid(`invalid ulimit argument: ${printable(text)}`);
}

function invalid(message: string): ToolError {
  return new ToolError('ERR_USAGE', message);
}
