import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { FlagError, booleanFlag } from './flags.ts';
import type { Flag } from './flags.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined when it was not given: then MYDOCKER_OFFLINE says it. */
export const offlineFlag: Flag<boolean | undefined> = {
  ...booleanFlag({ about: 'Do not use the network ($MYDOCKER_OFFLINE=1)' }),
  initial: undefined,
};

const VARIABLE = 'MYDOCKER_OFFLINE';

/** The environment as the flag has it: in all else offline mode is what the variable says. */
export function withOffline(env: Environment, flag: boolean | undefined): Environment {
  return flag === undefined ? env : { ...env, [VARIABLE]: flag ? '1' : '0' };
}

/** Whether the network must not be used. @throws {ToolError} ERR_USAGE if the variable is neither true nor false */
export function isOffline(env: Environment): boolean {
  const text = env[VARIABLE];
  if (text === undefined || text === '') return false;
  try {
    return offlineFlag.merge(text, undefined) ?? false;
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw new ToolError('ERR_USAGE', `Cannot use ${VARIABLE} "${printable(text)}": 1 or 0 was wanted`);
  }
}

/**
 * What keeps commands from the network; everything that goes there asks this first. A pull has a better text of its own.
 * @throws {ToolError} ERR_OFFLINE, ERR_USAGE
 */
export function refuseOffline(env: Environment): void {
  if (!isOffline(env)) return;
  throw new ToolError('ERR_OFFLINE', 'Cannot use the network: offline mode is on', {
    hint: `Leave out --offline, and unset ${VARIABLE}.`,
  });
}
