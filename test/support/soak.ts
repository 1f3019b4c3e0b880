/**
 * The long versions of tests: `npm run soak` sets MYDOCKER_SOAK. MYDOCKER_SEED is set in every run, and printed at its end, so that
 * what chance found can be found again.
 */
export const isSoak: boolean = process.env['MYDOCKER_SOAK'] === '1';

/** Feeds whatever draws at random: fast-check's `seed`, the choice of mutations. A whole number below 2^31. */
export const seed: number = readSeed(process.env['MYDOCKER_SEED']);

/** How many rounds or cases to go through. */
export function rounds(normal: number, long: number): number {
  return isSoak ? long : normal;
}

/** Milliseconds for a test whose `rounds` grow in the long version. */
export function longTimeout(normalMs: number): number {
  return isSoak ? 3_600_000 : normalMs;
}

function readSeed(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value >= 2 ** 31) {
    throw new Error(`Cannot use MYDOCKER_SEED "${text ?? ''}": a whole number below 2^31 was wanted`);
  }
  return value;
}
