import { afterEach, describe, expect, it, vi } from 'vitest';
import { goTime } from '../../src/cli/go-time.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('goTime()', () => {
  it.each([
    ['UTC', '2024-01-02 15:04:05 +0000 UTC'],
    ['Europe/Berlin', '2024-01-02 16:04:05 +0100 CET'],
    ['America/New_York', '2024-01-02 10:04:05 -0500 EST'],
    ['Asia/Kolkata', '2024-01-02 20:34:05 +0530 IST'],
    ['America/Sao_Paulo', '2024-01-02 12:04:05 -0300 -03'],
    ['Asia/Kathmandu', '2024-01-02 20:49:05 +0545 +0545'],
  ])('prints the local time of %s as Go does', (zone, text) => {
    vi.stubEnv('TZ', zone);
    expect(goTime(new Date(Date.UTC(2024, 0, 2, 15, 4, 5)))).toBe(text);
  });
});
