import { describe, expect, it } from 'vitest';

import { parseResourceLimits } from '../../../src/container/limits/parse-resource-limits.ts';

const MB = 2 ** 20;

describe('parseResourceLimits()', () => {
  it.each([
    [{}, {}],
    [{ memory: '64m' }, { memory: 64 * MB }],
    [{ memory: '0', cpus: '0', cpuShares: 0, cpusetCpus: '', pidsLimit: 0 }, {}],
    [
      { memory: '64m', memorySwap: '-1' },
      { memory: 64 * MB, memorySwap: -1 },
    ],
    [
      { memory: '64m', memorySwap: '64m' },
      { memory: 64 * MB, memorySwap: 64 * MB },
    ],
    [{ cpus: '1.5' }, { milliCpus: 1500 }],
    [
      { cpuShares: 2, cpusetCpus: '0-3,5', pidsLimit: -1 },
      { cpuShares: 2, cpusetCpus: '0-3,5', pids: -1 },
    ],
  ])('reads %j', (texts, limits) => expect(parseResourceLimits(texts)).toEqual(limits));

  it.each([
    [{ memory: '5m' }, 'Minimum memory limit allowed is 6MB'],
    [{ memory: 'much' }, 'invalid size'],
    [{ memorySwap: '1g' }, 'You should always set the Memory limit'],
    [{ memory: '64m', memorySwap: '32m' }, 'should be larger than memory limit'],
    [{ cpus: 'all' }, 'failed to parse all as a rational number'],
    [{ cpus: '-1' }, 'rational number'],
    [{ cpus: '0.0001' }, 'at least 0.001'],
    [{ cpuShares: 1 }, 'between 2 and 262144'],
    [{ cpusetCpus: '0;1' }, 'Invalid value 0;1 for cpuset cpus'],
    [{ pidsLimit: -2 }, 'invalid PIDs limit'],
  ])('refuses %j', (texts, message) => expect(() => parseResourceLimits(texts)).toThrow(message));
});
