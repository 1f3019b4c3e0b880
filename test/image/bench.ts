import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openEngine } from '../../src/image/engine.ts';
import type { Engine } from '../../src/image/engine.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';
import { putImage, startRegistry } from '../support/registry/index.ts';
import type { TestLayer, TestRegistry } from '../support/registry/index.ts';
import { tarLayer } from './test-layers.ts';

export interface Bench {
  engine: Engine;
  registry: TestRegistry;
  /** Those of `v1`. */
  layers: TestLayer[];
  /** `127.0.0.1:PORT/app` */
  name: string;
}

/** An empty store, and a registry with a small image `v1`, that go away with the test. */
export async function startBench(): Promise<Bench> {
  const registry = await startRegistry();
  onTestFinished(async () => registry.close());
  const layers = [
    await tarLayer({ 'etc/': null, 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n', 'etc/group': 'root:x:0:\n' }),
    await tarLayer({ 'bin/': null, 'bin/tool': 'a tool' }),
  ];
  putImage(registry, 'app', 'v1', { layers, config: { Cmd: ['/bin/tool'] } });
  const engine = await openEngine({ home: join(await temporaryFolder(), 'store') });
  return { engine, registry, layers, name: `${registry.host}/app` };
}
