import type { LookupFunction } from 'node:net';
import type { Reach } from './address.ts';
import { mayRefer, reachOf } from './address.ts';

/** `code` of the error for a name that resolves to nothing that may be asked. */
export const FORBIDDEN_ADDRESS = 'ERR_FORBIDDEN_ADDRESS';

/**
 * A name look-up that keeps only addresses that a registry at `from()` may refer to. It stands where the address is
 * used, so that no second answer of the name server can slip in between.
 */
export function guardLookup(resolve: LookupFunction, from: () => Reach): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found, family) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const addresses = typeof found === 'string' ? [{ address: found, family: family ?? 0 }] : found;
      const allowed = addresses.filter(({ address }) => mayRefer(from(), reachOf(address) ?? 'forbidden'));
      const [first] = allowed;
      if (first === undefined) callback(forbiddenAddress(), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function forbiddenAddress(): NodeJS.ErrnoException {
  return Object.assign(new Error('all its addresses are private'), { code: FORBIDDEN_ADDRESS });
}
