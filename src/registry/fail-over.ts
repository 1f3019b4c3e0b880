import type { ErrorCode } from '../errors.ts';
import { ToolError, isToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RegistryHost } from './registry-hosts.ts';
import type { Retrying } from './retry.ts';
import { hastily, isUnreachable } from './retry.ts';

/** What went wrong at one host, and may go right at the next. All else (a full disk, the user's abort) ends the work. */
const FAULTS_OF_A_HOST: readonly ErrorCode[] = [
  'ERR_REGISTRY',
  'ERR_AUTH',
  'ERR_NETWORK',
  'ERR_INTEGRITY',
  'ERR_LIMIT',
  'ERR_MANIFEST',
];

/**
 * Asks one host after the other until one gives what is wanted; only the last is asked with patience. One that cannot be
 * reached is not asked again for as long as the client lives.
 * Throws what the last one threw; where others failed before, an error with its code and hint, and a line for each of them.
 * `hosts` must not be empty.
 */
export async function askInTurn<T>(
  hosts: readonly RegistryHost[],
  ask: (host: RegistryHost, retrying: Retrying) => Promise<T>,
): Promise<T> {
  const failures: string[] = [];
  for (const [index, host] of hosts.entries()) {
    const { retrying } = host.channel;
    const isLast = index === hosts.length - 1;
    try {
      if (!isLast && host.outage !== undefined) throw host.outage;
      return await ask(host, isLast ? retrying : hastily(retrying));
    } catch (error) {
      if (!isToolError(error, ...FAULTS_OF_A_HOST)) throw error;
      if (isLast) throw withEarlier(error, failures);
      if (isUnreachable(error)) host.outage = error;
      failures.push(`mirror ${printable(host.name)}: ${error.message}`);
    }
  }
  throw new RangeError('there is no host to ask');
}

/** The last host is the one that knows: its error stands at the end, where a reader looks. */
function withEarlier(error: ToolError, failures: readonly string[]): ToolError {
  if (failures.length === 0) return error;
  const message = [...failures, error.message].join('\n');
  return new ToolError(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
}
