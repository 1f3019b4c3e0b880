import { describe, expect, it } from 'vitest';
import {
  capabilityMask,
  capsetData,
  capsetHeader,
  DEFAULT_CAPABILITIES,
  hasCapabilities,
  parseCapability,
} from '../../src/linux/capabilities.ts';

describe('capabilityMask()', () => {
  it("is Docker's mask for the default set", () => {
    expect(DEFAULT_CAPABILITIES).toHaveLength(14);
    expect(capabilityMask(DEFAULT_CAPABILITIES)).toBe(0xa80425fbn);
  });

  it('reaches above 32 bits', () => {
    expect(capabilityMask(['CHOWN', 'CHECKPOINT_RESTORE'])).toBe(0x100_0000_0001n);
  });
});

describe('hasCapabilities()', () => {
  it('wants all of them', () => {
    expect(hasCapabilities(0b11n, ['CHOWN', 'DAC_OVERRIDE'])).toBe(true);
    expect(hasCapabilities(0b10n, ['CHOWN', 'DAC_OVERRIDE'])).toBe(false);
    expect(hasCapabilities(0n, [])).toBe(true);
  });
});

describe('parseCapability()', () => {
  it.each([
    ['NET_ADMIN', 'NET_ADMIN'],
    ['CAP_NET_ADMIN', 'NET_ADMIN'],
    ['cap_net_admin', 'NET_ADMIN'],
    ['ALL', undefined],
    ['', undefined],
    ['CAP_CAP_CHOWN', undefined],
    ['__proto__', undefined],
  ])('%s', (text, capability) => {
    expect(parseCapability(text)).toBe(capability);
  });
});

describe('capset structs', () => {
  it('are of version 3 and for this process', () => {
    expect(capsetHeader().toString('hex')).toBe('2205082000000000');
  });

  it('hold effective, permitted and inheritable sets, low words first', () => {
    const bytes = capsetData({ effective: 0x1_0000_0002n, permitted: 0x3_0000_0004n, inheritable: 0x5_0000_0006n });
    expect([0, 4, 8, 12, 16, 20].map((at) => bytes.readUInt32LE(at))).toEqual([2, 4, 6, 1, 3, 5]);
  });
});
