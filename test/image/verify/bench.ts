import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { verify, type VerifyOptions } from '../../../src/container/verify.ts';
import { openEngine, type Engine } from '../../../src/image/engine.ts';
import type { Finding } from '../../../src/image/verify/finding.ts';
import type { VerifyReport } from '../../../src/image/verify/verify-store.ts';
import { pullImage } from '../../../src/image/pull-image.ts';
import { findRunnableImage } from '../../../src/image/runnable-image.ts';
import { digestHex, digestOf, parseDigest, type Digest } from '../../../src/oci/digest.ts';
import { putImage, putIndex, startRegistry, type TestLayer, type TestRegistry } from '../../support/registry/index.ts';
import { tarLayer } from '../test-layers.ts';

/** A store with one image of three layers, which was pulled through an index. */
export interface Bench {
  engine: Engine;
  registry: TestRegistry;
  layers: TestLayer[];
  root: string;
  /** `127.0.0.1:PORT/app:v1` */
  name: string;
  digests: { index: Digest; manifest: Digest; config: Digest; layers: Digest[] };
  /** `layers/<hex>`, bottom first. */
  layerFolders: string[];
  /** Of the blob, from the root of the store. */
  blob: (digest: Digest) => string;
  /** The absolute path of something in the store. */
  at: (name: string) => string;
  verify(options?: Partial<VerifyOptions>): Promise<VerifyReport>;
  /** Requests for blobs and manifests since `registry.log` was emptied. */
  requests(): string[];
  close(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const registry = await startRegistry();
  const layers = [
    await tarLayer({ 'etc/': null, 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n', 'etc/group': 'root:x:0:\n' }),
    await tarLayer({ 'bin/': null, 'bin/tool': 'a tool, and what it says' }),
    await tarLayer({ 'etc/.wh.group': '', 'etc/group': 'root:x:0:\nstaff:x:50:\n', 'srv/data': 'x'.repeat(5000) }),
  ];
  const put = putImage(registry, 'app', 'amd', { layers, config: { Cmd: ['/bin/tool'] } });
  const other = putImage(registry, 'app', 'arm', { layers: layers.slice(0, 1), architecture: 'arm64' });
  const index = putIndex(registry, 'app', 'v1', [
    { ...put.manifest, platform: { os: 'linux', architecture: 'amd64' } },
    { ...other.manifest, platform: { os: 'linux', architecture: 'arm64' } },
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'mydocker-verify-'));
  const root = join(folder, 'store');
  const engine = await openEngine({ home: root });
  const name = `${registry.host}/app:v1`;
  await pullImage(engine, name, { platform: { os: 'linux', architecture: 'amd64' } });
  const image = await findRunnableImage(engine, name);
  return {
    engine,
    registry,
    layers,
    root,
    name,
    digests: {
      index: index.digest,
      manifest: put.manifest.digest,
      config: put.config.digest,
      layers: put.layers.map(({ digest }) => digest),
    },
    layerFolders: (image?.layerFolders ?? []).map((folder) => folder.slice(root.length + 1)),
    blob: (digest) => `blobs/sha256/${digestHex(digest)}`,
    at: (path) => join(root, path),
    verify: async (options) => verify({ home: root, ...options }),
    requests: () =>
      registry.log.map(({ method, path }) => `${method} ${path}`).filter((line) => !line.endsWith('/v2/')),
    async close() {
      await registry.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What has to be repaired. */
export function unrepaired({ findings }: VerifyReport): Finding[] {
  return findings.filter(({ repair }) => repair?.isDone !== true);
}

/** Of something that nobody has. */
export const lost: Digest = parseDigest(`sha256:${'0'.repeat(64)}`);

/** Puts a blob into the store that nothing leads to. */
export function putBlob({ at, blob }: Bench, text: string): Digest {
  const digest = digestOf(Buffer.from(text));
  writeFileSync(at(blob(digest)), text);
  return digest;
}
