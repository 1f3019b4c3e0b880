import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { putImage, sha256, startRegistry, type TestLayer, type TestRegistry } from '../../support/registry/index.ts';
import { honestTar, type HonestEntry } from '../../support/tar/honest-tar.ts';

/** A registry with small images that have something of everything that unpacking does. */
export interface FaultRegistry {
  registry: TestRegistry;
  /** `host:port/app:v1`, of two layers. */
  v1: string;
  /** The lowest layer of `v1` and another one. */
  v2: string;
  /** Shares nothing with the others. */
  solo: string;
  /** Shares nothing with the others either; 6 MB that do not compress, and 200 files. */
  big: string;
  /** Stands for what `v1` does, until `move`. */
  moving: string;
  /** The blob of the lowest layer of `v1`. */
  base: HeldBlob;
  /** That of the upper one. */
  first: HeldBlob;
  /** Answers the next request for a blob with its first `bytes` at once, and with the rest when it is told to. */
  hold(blob: HeldBlob, bytes?: number): Held;
  /** Lets `moving` stand for what `v2` does. */
  move(): void;
  close(): Promise<void>;
}

interface HeldBlob {
  digest: string;
  bytes: Uint8Array;
}

export interface Held {
  /** Resolves when somebody has asked for the blob. */
  asked: Promise<void>;
  send: () => void;
}

export async function startFaultRegistry(): Promise<FaultRegistry> {
  const registry = await startRegistry();
  const base = await layer([
    ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'tmp/'].map((name) => folder(name)),
    { name: 'bin/busybox', mode: 0o755, content: readFileSync('/bin/busybox') },
    ...['sh', 'true', 'echo', 'cat', 'sleep'].map((name) => symlink(`bin/${name}`, 'busybox')),
    { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
    { name: 'etc/group', content: 'root:x:0:\n' },
    folder('old/'),
    { name: 'old/file', content: 'to be hidden' },
  ]);
  const first = await layer([
    folder('data/'),
    { name: 'data/file', content: 'first'.repeat(30_000) },
    { name: 'data/linked', type: 'link', linkname: 'data/file' },
    { name: 'data/owned', uid: 1000, gid: 1000, mode: 0o4755, content: 'owned' },
    symlink('data/symlink', 'file'),
    { name: '.wh.old', content: '' },
  ]);
  const second = await layer([folder('data/'), { name: 'data/file', content: 'second' }]);
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
  const images = { v1: [base, first], v2: [base, second], moving: [base, first] };
  for (const [tag, layers] of Object.entries(images)) putImage(registry, 'app', tag, { layers, config });
  putImage(registry, 'solo', 'latest', { layers: [await layer([{ name: 'only', content: 'this' }])], config });
  const many = Array.from({ length: 200 }, (_, index) => ({ name: `file${index}`, content: 'x' }));
  const big = await layer([{ name: 'big', content: randomBytes(6 << 20) }, ...many]);
  putImage(registry, 'big', 'latest', { layers: [big], config });
  return {
    registry,
    v1: `${registry.host}/app:v1`,
    v2: `${registry.host}/app:v2`,
    moving: `${registry.host}/app:moving`,
    big: `${registry.host}/big:latest`,
    solo: `${registry.host}/solo:latest`,
    base: { digest: sha256(base.bytes), bytes: base.bytes },
    first: { digest: sha256(first.bytes), bytes: first.bytes },
    hold: (blob, bytes = 0) => hold(registry, blob, bytes),
    move: () => void putImage(registry, 'app', 'moving', { layers: images.v2, config }),
    close: async () => registry.close(),
  };
}

function hold({ faults }: TestRegistry, { digest, bytes }: HeldBlob, atOnce: number): Held {
  let send = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    faults.add({
      path: digest,
      handle: (_, response) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, atOnce));
        send = () => void response.end(bytes.subarray(atOnce));
        resolve();
      },
    });
  });
  return { asked, send: () => send() };
}

async function layer(entries: HonestEntry[]): Promise<TestLayer> {
  return { bytes: gzipSync(await honestTar(entries), { level: 1 }) };
}

function folder(name: string): HonestEntry {
  return { name, type: 'directory', mode: 0o755 };
}

function symlink(name: string, target: string): HonestEntry {
  return { name, type: 'symlink', linkname: target };
}
