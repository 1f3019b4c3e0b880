import type { RegistryOptions } from '../../src/registry/client.ts';
import type { CredentialSource } from '../../src/registry/credentials.ts';
import type { LoggedRequest, TestAuth, TestRegistry } from '../support/registry/index.ts';
import type { Setup } from './open-repository.ts';
import { NAME, openRepository } from './open-repository.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const SCOPE: string = `repository:${NAME}:pull`;
export const USERS = { user: 'pa:ss' };
export const login: CredentialSource = async () => ({ kind: 'password', username: 'user', password: 'pa:ss' });

/** A registry that asks who is there, with a manifest under the tag `v1`. */
export async function openGuarded(auth: TestAuth, options: RegistryOptions = {}): Promise<Setup> {
  const opened = await openRepository({ auth }, options);
  opened.registry.putManifest(NAME, 'v1', Buffer.from('{"layers":[]}'), OCI_MANIFEST);
  return opened;
}

export function bearer(options: Omit<Extract<TestAuth, { kind: 'bearer' }>, 'kind'> = {}): TestAuth {
  return { kind: 'bearer', ...options };
}

export function tokenRequests({ log }: TestRegistry): LoggedRequest[] {
  return log.filter(({ path }) => path.startsWith('/token'));
}

/** What was asked for, with the scheme of its Authorization. */
export function summary({ log }: TestRegistry): string[] {
  return log
    .filter(({ path }) => path !== '/v2/')
    .map(({ path, headers }) => {
      const name = path.replace(/\?.*/, '').replace(/^.*\//, '');
      return `${name} ${headers['authorization']?.split(' ')[0] ?? '-'}`;
    });
}
