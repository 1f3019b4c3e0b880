import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { parseSize } from '../parse-size.ts';
import type { ResourceLimits } from './resource-limits.ts';

/** What a container may use of the machine, in docker's words. A limit that cannot be enforced is an error. */
export interface LimitTexts {
  /** `512m` */
  memory?: string | undefined;
  /** Memory and swap together; `-1` without limit. */
  memorySwap?: string | undefined;
  /** `1.5` */
  cpus?: string | undefined;
  /** Relative weight; 1024 is what all have. */
  cpuShares?: number | undefined;
  /** `0-3,5` */
  cpusetCpus?: string | undefined;
  /** Processes and threads; -1 without limit. */
  pidsLimit?: number | undefined;
}

const LEAST_MEMORY = 6 * 1024 * 1024; // bytes, docker's

/**
 * Reads limits in docker's words; 0 is no limit.
 * @throws {ToolError} ERR_USAGE, with docker's texts
 */
export function parseResourceLimits(texts: LimitTexts): ResourceLimits {
  const memory = parseMemory(texts.memory);
  const limits = {
    memory,
    memorySwap: parseMemorySwap(texts.memorySwap, memory),
    milliCpus: parseCpus(texts.cpus),
    cpuShares: parseShares(texts.cpuShares),
    cpusetCpus: parseCpuset(texts.cpusetCpus),
    pids: texts.pidsLimit === 0 ? undefined : texts.pidsLimit,
  };
  if (limits.pids !== undefined && limits.pids < -1) throw invalid(`invalid PIDs limit: ${limits.pids}`);
  return limits;
}

function parseMemory(text: string | undefined): number | undefined {
  const bytes = text === undefined || text === '' ? 0 : parseSize(text, 'memory');
  if (bytes === 0) return undefined;
  if (bytes < LEAST_MEMORY) throw invalid('Minimum memory limit allowed is 6MB');
  return bytes;
}

function parseMemorySwap(text: string | undefined, memory: number | undefined): number | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  if (memory === undefined)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  if (text === '-1') return -1;
  const bytes = parseSize(text, 'memory-swap');
  if (bytes < memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  return bytes;
}

function parseCpus(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,6}(\.\d{1,9})?$/.test(text))
    throw invalid(
      `invalid argument "${printable(text)}" for "--cpus" flag: failed to parse ${printable(text)} as a rational number`,
    );
  const milliCpus = Math.round(Number(text) * 1000);
  if (milliCpus === 0 && Number(text) > 0)
    throw invalid(`invalid argument "${text}" for "--cpus" flag: at least 0.001 was wanted`);
  return milliCpus === 0 ? undefined : milliCpus;
}

function parseShares(shares: number | undefined): number | undefined {
  if (shares === undefined || shares === 0) return undefined;
  if (shares < 2 || shares > 262_144)
    throw invalid(`invalid CPU shares (${shares}): value should be between 2 and 262144`);
  return shares;
}

function parseCpuset(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(text)) return text;
  throw invalid(`Invalid value ${printable(text)} for cpuset cpus`);
}

function invalid(message: string): ToolError {
  return new ToolError('ERR_USAGE', message);
}
