import type { ArgumentCondition } from '../../linux/seccomp/seccomp-profile.ts';

/**
 * What `condition` means for an argument of which the kernel looks at the lower 32 bits alone: any of the conditions of the result.
 * libseccomp compares all 64, so that a program would get by with bits set that the kernel drops; comparisons under a mask are the
 * only ones that can leave them out, and a range of numbers is as many of those as a network's range of addresses is prefixes.
 */
export function intConditions({ index, comparison, value, mask }: ArgumentCondition): ArgumentCondition[] {
  const number = value & MAX;
  if (mask !== undefined) return [{ index, comparison, value: number, mask: mask & MAX }];
  const ranges: Readonly<Record<Exclude<typeof comparison, 'equal-masked'>, [first: bigint, last: bigint][]>> = {
    equal: [[number, number]],
    'not-equal': [
      [0n, number - 1n],
      [number + 1n, MAX],
    ],
    less: [[0n, number - 1n]],
    'less-or-equal': [[0n, number]],
    greater: [[number + 1n, MAX]],
    'greater-or-equal': [[number, MAX]],
  };
  const wanted = comparison === 'equal-masked' ? [] : ranges[comparison];
  return wanted.flatMap(([first, last]) =>
    blocks(first, last).map(({ start, size }) => ({
      index,
      comparison: 'equal-masked' as const,
      value: start,
      mask: MAX - (size - 1n),
    })),
  );
}

const MAX = 0xffffffffn;

/** The range from `first` to `last`, in as few blocks as there are whose size is a power of two and whose start a multiple of that. */
function blocks(first: bigint, last: bigint): { start: bigint; size: bigint }[] {
  const found: { start: bigint; size: bigint }[] = [];
  for (let start = first; start <= last;) {
    let size = start === 0n ? MAX + 1n : start & -start;
    while (start + size - 1n > last) size >>= 1n;
    found.push({ start, size });
    start += size;
  }
  return found;
}
