import { afterEach, describe, expect, it, vi } from 'vitest';

import { explainMissing, requires, type Requirement } from './requirements.ts';

const ABSENT = 'no-such-program' as Requirement;

describe('requires()', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('skips with the reason where something is missing', () => {
    vi.stubEnv('CI', '');
    expect(requires(ABSENT)).toEqual({ skip: true, meta: { skipReason: 'there is no no-such-program on the PATH' } });
  });

  it('throws in CI, where nothing may be skipped', () => {
    vi.stubEnv('CI', 'true');
    expect(() => requires(ABSENT)).toThrow(
      /Cannot skip "no-such-program" in CI: there is no no-such-program on the PATH/,
    );
  });

  it('lets run what the machine can do', () => {
    expect(explainMissing('script')).toBeUndefined();
    expect(requires('script')).toEqual({});
  });
});
