import { isAbsolute, join } from 'node:path';

/** Paths of files with logins, in the order in which they are asked. New logins go to the last. */
export type LoginFiles = readonly [string, ...string[]];

/**
 * Where a user's logins are: in REGISTRY_AUTH_FILE alone if it is set, else in the files of podman and skopeo, then in
 * docker's `config.json`.
 * https://github.com/containers/image/blob/v5.36.0/docs/containers-auth.json.5.md
 */
export function loginFilesFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  user: { home: string; uid: number },
): LoginFiles {
  const only = env['REGISTRY_AUTH_FILE'];
  if (only !== undefined && only !== '') return [only];
  const runtime = absolute(env['XDG_RUNTIME_DIR']);
  const config = absolute(env['XDG_CONFIG_HOME']) ?? join(user.home, '.config');
  const docker = env['DOCKER_CONFIG'];
  return [
    runtime === undefined ? `/run/containers/${user.uid}/auth.json` : join(runtime, 'containers/auth.json'),
    join(config, 'containers/auth.json'),
    join(docker === undefined || docker === '' ? join(user.home, '.docker') : docker, 'config.json'),
  ];
}

/** Of the folders of the XDG specification only absolute ones count. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
