/** Takes a place, waiting until one is free; what it answers with gives the place back. Served in order. */
export type TakePlace = () => Promise<() => void>;

/** A bounded number of places, for work that should not all happen at once. */
export function createPlaces(count: number): TakePlace {
  let free = count;
  const waiting: Array<() => void> = [];
  const giveBack = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((taken) => waiting.push(taken));
    return giveBack;
  };
}
