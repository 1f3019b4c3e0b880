import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseReference } from '../../src/oci/reference.ts';
import type { RegistryClient, RegistryOptions } from '../../src/registry/client.ts';
import type { RemoteRepository } from '../../src/registry/repository.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import type { InstantTiming, TestRegistry, TestRegistryOptions } from '../support/registry/index.ts';
import { NAME, openClient, startTestRegistry } from './open-repository.ts';

export interface Mirrored {
  /** The registry that references name. */
  upstream: TestRegistry;
  mirrors: TestRegistry[];
  /** Opens `app/web` of `upstream`, for which a hosts.toml names the mirrors. */
  open: (options?: RegistryOptions) => Promise<Opened>;
}

export interface Opened {
  client: RegistryClient;
  repository: RemoteRepository;
  timing: InstantTiming;
}

export interface MirroredOptions {
  upstream?: TestRegistryOptions;
  mirrors?: TestRegistryOptions[];
  /** The text of the hosts.toml; a table for each mirror, in order, when left out. */
  toml?: (mirrors: TestRegistry[], upstream: TestRegistry) => string;
}

/** A registry with one mirror or several, all empty. */
export async function startMirrored(options: MirroredOptions = {}): Promise<Mirrored> {
  const upstream = await startTestRegistry(options.upstream);
  const mirrors = await Promise.all((options.mirrors ?? [{}]).map(startTestRegistry));
  const text = options.toml?.(mirrors, upstream) ?? mirrors.map(({ url }) => `[host."${url}"]\n`).join('');
  const hostsFolders = [await filesIn({ [`${upstream.host}/hosts.toml`]: text })];
  return {
    upstream,
    mirrors,
    async open(more = {}) {
      const { client, timing } = openClient({ hostsFolders, ...more });
      return { client, timing, repository: client.repository(parseReference(`${upstream.host}/${NAME}`)) };
    },
  };
}

/** Puts a manifest under `v1` into all of them; returns its digest. */
export function putEverywhere(registries: TestRegistry[], text = '{"layers":[]}'): string {
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const [first] = registries.map((registry) => registry.putManifest(NAME, 'v1', Buffer.from(text), type));
  return first?.digest ?? '';
}

/** A temporary folder with files by path. */
export async function filesIn(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** `GET manifests/v1?ns=…`, below the repository. */
export function requests({ log }: TestRegistry): string[] {
  return log.map(({ method, path }) => `${method} ${path.replace(`/v2/${NAME}/`, '')}`);
}
