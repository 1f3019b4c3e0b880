import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { certificatesFromEnvironment } from '../../registry/ca.ts';
import type { RegistryOptions } from '../../registry/client.ts';
import { credentialsFromFiles } from '../../registry/docker-config.ts';
import { proxyFromEnvironment } from '../../registry/proxy.ts';
import type { RetryPolicy } from '../../registry/retry.ts';
import type { NetworkRequest } from '../engine-api.ts';
import { refuseOffline } from '../offline.ts';
import { readVersion } from '../version.ts';
import { userLogins } from './user-logins.ts';

/**
 * What flags and the environment say about how to talk to registries. @throws {ToolError} ERR_OFFLINE in offline mode, so that
 * no command gets to the network that has not thought of it; ERR_USAGE
 */
export function registryOptions({ env, insecureRegistries }: NetworkRequest): RegistryOptions {
  refuseOffline(env);
  const { files, helpers } = userLogins({ env });
  return {
    insecureRegistries,
    credentials: credentialsFromFiles(files, helpers),
    hostsFolders: [join(configFolder(env), 'mydocker/certs.d'), '/etc/containerd/certs.d'],
    certificateFolders: ['/etc/docker/certs.d'],
    ca: certificatesFromEnvironment(env),
    proxy: proxyFromEnvironment(env),
    userAgent: `mydocker/${readVersion()}`,
    retryPolicy: retryPolicy(env['MYDOCKER_RETRIES']),
  };
}

/** https://specifications.freedesktop.org/basedir/0.8/: what is not absolute is to be ignored. */
function configFolder(env: NetworkRequest['env']): string {
  const folder = env['XDG_CONFIG_HOME'];
  return folder !== undefined && isAbsolute(folder) ? folder : join(homedir(), '.config');
}

/** MYDOCKER_RETRIES: how many times what failed is tried again. */
function retryPolicy(text: string | undefined): Partial<RetryPolicy> | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,3}$/.test(text)) return { maxAttempts: Number(text) + 1 };
  throw new ToolError('ERR_USAGE', `Cannot use MYDOCKER_RETRIES "${printable(text)}": a number up to 999 was wanted`);
}
