import type { KeptIds } from '../linux/keep-ids.ts';
import type { Ids } from '../linux/ownership.ts';
import type { ContainerConfig } from '../oci/image-config.ts';
import type { AccountFiles } from '../snapshot/account-files.ts';
import { callerAccount, readHostAccount } from './caller-account.ts';
import type { CallerAccount } from './caller-account.ts';
import type { ContainerOptions } from './container-options.ts';
import { resolveUser } from './resolve-user.ts';
import type { ContainerUser } from './resolve-user.ts';

export interface IdentitySources {
  image: Pick<ContainerConfig, 'user'>;
  accounts: AccountFiles;
  options: Pick<ContainerOptions, 'user' | 'groups' | 'userns'>;
  /** The caller on the host. */
  host: Ids;
  kept?: KeptIds | undefined;
  workingFolder: string;
  /** Where the user mounts something. */
  targets: readonly string[];
}

/** Who the command runs as, where that user is at home, and what the image's files of accounts have to be told. */
export interface Identity {
  user: ContainerUser;
  home: string;
  accountEntries: AccountFiles | undefined;
}

/**
 * The user that is asked for; else with keep-id the caller whatever the image says, as with podman; else the image's.
 * @throws {ToolError} ERR_CONTAINER
 */
export function resolveIdentity(sources: IdentitySources): Identity {
  const { image, accounts, options, kept } = sources;
  const keptUser = kept && `${kept.user.uid}:${kept.user.gid}`;
  const user = resolveUser(options.user ?? keptUser ?? image.user, accounts, options.groups);
  const caller = kept === undefined ? undefined : accountOf(kept.user, sources);
  const isCaller = user.uid === kept?.user.uid;
  return { user, home: (isCaller ? caller?.home : undefined) ?? user.home, accountEntries: caller?.entries };
}

/** Undefined for root, whom every image knows. */
function accountOf(ids: Ids, { options, host, ...sources }: IdentitySources): CallerAccount | undefined {
  if (ids.uid === 0) return undefined;
  const { userns } = options;
  const isSame = userns?.kind === 'keep-id' && userns.uid === undefined && userns.gid === undefined;
  return callerAccount({ ...sources, ids, host: isSame ? readHostAccount(host) : undefined });
}
