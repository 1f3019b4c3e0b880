/** The key under which docker keeps the login for Docker Hub. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** What a login is for: a registry as it is named in references (`docker.io`), or a part of it (`org`, `org/image`). */
export interface LoginScope {
  registry: string;
  /** '' for the whole registry. */
  namespace: string;
}

/** The key under which docker's files and helpers keep the login for a registry. */
export function loginKey(registry: string): string {
  return registry === 'docker.io' ? DOCKER_HUB_KEY : registry;
}

/**
 * What a key stands for: `https://index.docker.io/v1/` for `docker.io`, `https://ghcr.io/v2/` for `ghcr.io`, and, as
 * containers/image reads it, `quay.io/org` for what lies below `org` there.
 */
export function scopeOfKey(key: string): LoginScope {
  const withoutScheme = key.replace(/^https?:\/\//i, '');
  const slash = withoutScheme.indexOf('/');
  const host = (slash === -1 ? withoutScheme : withoutScheme.slice(0, slash)).toLowerCase();
  const path = slash === -1 ? '' : withoutScheme.slice(slash + 1).replace(/\/$/, '');
  const isUrl = withoutScheme !== key || /^v[12]$/.test(path);
  return { registry: DOCKER_HUB_HOSTS.has(host) ? 'docker.io' : host, namespace: isUrl ? '' : path };
}

/** The keys among `keys` that stand for the whole of `registry`, in whatever spelling. */
export function keysOf(registry: string, keys: Iterable<string>): string[] {
  const wanted = scopeOfKey(registry).registry;
  return [...keys].filter((key) => {
    const scope = scopeOfKey(key);
    return scope.registry === wanted && scope.namespace === '';
  });
}
