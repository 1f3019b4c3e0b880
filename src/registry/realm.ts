import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { hopProblem } from './hop-problem.ts';
import type { Referrer } from './hop-problem.ts';

/**
 * Token servers on another host than their registry that may see its logins, by registry. All others are asked without.
 * A registry names its token server itself; if that were enough, it could collect logins that are meant for others.
 */
export const PINNED_TOKEN_SERVERS: Readonly<Record<string, string>> = {
  'docker.io': 'https://auth.docker.io',
  'registry.gitlab.com': 'https://gitlab.com',
};

export interface RealmOptions extends Referrer {
  /** `pull "alpine:latest"`, for errors. */
  action: string;
}

/**
 * The URL of the token server that a challenge names. Throws ERR_AUTH for one that must not be asked: anything but
 * https (http if the registry itself is asked by http), and private addresses other than the registry's own.
 */
export function realmUrl(realm: string, { registry, ownReach, action }: RealmOptions): URL {
  const url = URL.parse(realm);
  const problem = url === null ? 'it is not a URL' : hopProblem(registry, url, { registry, ownReach });
  if (url !== null && problem === undefined) return url;
  throw new ToolError(
    'ERR_AUTH',
    `Cannot ${action}: ${printable(registry.host)} asks for a token from "${printable(realm.replace(/[?#].*$/s, ''))}", which is refused: ${problem}`,
  );
}

/** Whether the login for `registryName` may be sent to `realm`. */
export function mayReceiveLogin(
  realm: URL,
  {
    registry,
    registryName,
    tokenServers,
  }: { registry: URL; registryName: string; tokenServers: Readonly<Record<string, string>> },
): boolean {
  if (realm.origin === registry.origin) return true;
  const pinned = Object.hasOwn(tokenServers, registryName) ? tokenServers[registryName] : undefined;
  return pinned !== undefined && URL.parse(pinned)?.origin === realm.origin;
}
