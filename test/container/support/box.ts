import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

import type { ContainerOptions } from '../../../src/container/container-options.ts';
import type { ContainerPaths } from '../../../src/container/container-paths.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { RunnableImage } from '../../../src/image/runnable-image.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { ContainerConfig } from '../../../src/oci/image-config.ts';
import { PLAIN_USER, SUBID_USER } from '../../support/test-users.ts';

/** Who runs a container: root, or an ordinary user with or without a range of subordinate ids. */
export type Caller = 'root' | 'mapped' | 'single';

/** Lays out a layer in an empty folder. */
export type Layer = (tree: string) => void;

export interface RunOptions extends Omit<ContainerOptions, 'args' | 'volumes' | 'tmpfs' | 'ulimits' | 'terminal'> {
  /** As on the command line. */
  volumes?: string[];
  tmpfs?: string[];
  ulimits?: string[];
  /** A terminal of 80 by 24, connected to the standard streams. */
  terminal?: boolean;
}

export interface RunSettings {
  options?: RunOptions;
  image?: Partial<ContainerConfig>;
  driver?: 'overlay' | 'copy';
  /** Standard input of the command; nothing if not given. */
  stdin?: 'pipe' | undefined;
  /** A program and arguments that start the supervisor, which stands behind them. */
  through?: string[] | undefined;
  /** Start that program as root: it becomes the caller itself. */
  throughRoot?: boolean;
}

/** What the driver process gets, in a file. */
export interface DriverRequest {
  paths: ContainerPaths;
  image: RunnableImage;
  driver: 'overlay' | 'copy';
  options: Omit<RunOptions, 'args'> & { args: string[] };
}

/** What the driver process says. */
export type DriverReport =
  | { started: { id: string; name: string } }
  | { ended: { id: string; exitCode: number; isOutOfMemory: boolean } }
  | { failed: { code: ErrorCode; message: string; hint?: string | undefined } };

export interface Outcome {
  stdout: string;
  stderr: string;
  /** Undefined if the run failed before, or its supervisor was killed. */
  exitCode: number | undefined;
  isOutOfMemory: boolean | undefined;
  id: string | undefined;
  failure: { code: ErrorCode; message: string; hint?: string | undefined } | undefined;
}

export interface Run {
  supervisor: ChildProcess;
  started: Promise<{ id: string; name: string }>;
  /** Resolves when the command has printed `text`. */
  printed(text: string): Promise<void>;
  outcome: Promise<Outcome>;
}

/** A small store with one image, whose containers run in processes of their own. */
export interface Box {
  /** Everything is in here; it belongs to the caller, and is the current folder of the supervisors. */
  folder: string;
  paths: ContainerPaths;
  /** Trees of the layers, bottom first. */
  trees: string[];
  image(config?: Partial<ContainerConfig>): RunnableImage;
  start(command: string[], settings?: RunSettings): Run;
  run(command: string[], settings?: RunSettings): Promise<Outcome>;
  remove(): void;
}

/** Where the bundled code believes to be: it looks for dist/ from there. */
const SOURCES = new URL('../../../src/container/run-container.ts', import.meta.url).href;
const DRIVER = fileURLToPath(new URL('container-driver.ts', import.meta.url));

export function createBox(caller: Caller, layers: Layer[] = [layBusybox]): Box {
  const folder = mkdtempSync(join(tmpdir(), 'mydocker-box-'));
  const paths: ContainerPaths = {
    containers: join(folder, 'containers'),
    trash: join(folder, 'trash'),
    runner: join(folder, 'runner'),
    gcLock: join(folder, 'gc.lock'),
  };
  for (const path of [paths.containers, paths.trash, paths.runner]) mkdirSync(path, { mode: 0o700 });
  writeFileSync(paths.gcLock, '');
  const layerFolders = layers.map((lay, index) => makeLayer(join(folder, 'layers', `${index}`.padStart(64, '0')), lay));
  keepAccounts(layerFolders);
  const bundle = join(folder, 'driver.cjs');
  writeFileSync(bundle, driverBundle());
  const ids = callerIds(caller);
  if (ids !== undefined) execFileSync('chown', ['-RP', `${ids.uid}:${ids.gid}`, folder]);

  const supervisors: ChildProcess[] = [];
  const start = (command: string[], settings: RunSettings = {}): Run => {
    const request: DriverRequest = {
      paths,
      image: imageOf(layerFolders, settings.image ?? {}),
      driver: settings.driver ?? 'overlay',
      options: { ...settings.options, args: command },
    };
    const file = join(mkdtempSync(join(folder, 'request-')), 'request.json');
    chmodSync(join(file, '..'), 0o755);
    writeFileSync(file, JSON.stringify(request));
    const [program = process.execPath, ...through] = settings.through ?? [];
    const args = settings.through === undefined ? [bundle, file] : [...through, process.execPath, bundle, file];
    const supervisor = spawn(program, args, {
      ...(settings.throughRoot === true ? {} : ids),
      cwd: folder,
      env: { HOST_SECRET: 'must not be seen' },
      stdio: [settings.stdin ?? 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    supervisors.push(supervisor);
    return follow(supervisor);
  };
  return {
    folder,
    paths,
    trees: layerFolders.map((layer) => join(layer, 'fs')),
    start,
    image: (config = {}) => imageOf(layerFolders, config),
    run: async (command, settings) => start(command, settings).outcome,
    remove: () => {
      for (const supervisor of supervisors) supervisor.kill('SIGKILL'); // of a test that failed; its container dies with it
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The driver with all that it imports; made once, which takes longer than everything else here. */
function driverBundle(): Uint8Array {
  bundled ??= buildSync({
    entryPoints: [DRIVER],
    bundle: true,
    platform: 'node',
    write: false,
    external: ['koffi'],
    define: { 'import.meta.url': JSON.stringify(SOURCES) },
    logLevel: 'error',
  }).outputFiles[0]?.contents;
  if (bundled === undefined) throw new Error('Cannot bundle the driver');
  return bundled;
}

let bundled: Uint8Array | undefined;

/** A busybox with all of its applets, two users and an empty /proc, /sys and /dev. */
export function layBusybox(tree: string): void {
  for (const name of ['bin', 'dev', 'etc', 'home/bob', 'proc', 'root', 'sys', 'tmp']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  chmodSync(join(tree, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
  for (const applet of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(tree, 'bin', applet));
  }
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\n');
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nwheel:x:10:root,bob\nbob:x:1000:\n');
}

function makeLayer(layer: string, lay: Layer): string {
  const tree = join(layer, 'fs');
  mkdirSync(tree, { recursive: true });
  for (const path of [tree, layer, join(layer, '..'), join(layer, '../..')]) chmodSync(path, 0o755);
  lay(tree);
  writeFileSync(join(layer, 'done'), '');
  return layer;
}

/** As the engine keeps them beside the topmost layer. */
function keepAccounts(layerFolders: string[]): void {
  const top = layerFolders.at(-1) ?? '';
  for (const name of ['passwd', 'group']) {
    const sources = layerFolders.map((layer) => join(layer, 'fs/etc', name));
    const source = sources.findLast((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true);
    writeFileSync(join(top, name), source === undefined ? '' : readFileSync(source));
  }
}

function imageOf(layerFolders: string[], config: Partial<ContainerConfig>): RunnableImage {
  const digest = digestOf(Buffer.from(layerFolders.map((layer) => basename(layer)).join()));
  return {
    name: 'box:latest',
    imageId: digest,
    manifest: digest,
    platform: { os: 'linux', architecture: 'amd64' },
    config: {
      os: 'linux',
      architecture: 'amd64',
      diffIds: [],
      history: [],
      config: {
        user: '',
        env: [],
        entrypoint: [],
        cmd: [],
        workingDir: '',
        labels: {},
        exposedPorts: [],
        volumes: [],
        ...config,
      },
    },
    layerFolders,
  };
}

/** Ids of an ordinary user; undefined for root. */
export function callerIds(caller: Caller): { uid: number; gid: number } | undefined {
  return caller === 'root' ? undefined : idsOf(caller === 'mapped' ? SUBID_USER : PLAIN_USER);
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function follow(supervisor: ChildProcess): Run {
  const [, output, errors, reports] = supervisor.stdio as unknown as [unknown, Readable, Readable, Readable];
  const texts = [output, errors, reports].map(collect);
  const [stdout, stderr, reported] = texts as [Collected, Collected, Collected];
  const started = waitFor(reported, '"started"').then(() => find(reported.text, 'started'));
  started.catch(() => undefined);
  const outcome = once(supervisor, 'close').then(() => {
    const ended = find(reported.text, 'ended');
    const failure = find(reported.text, 'failed');
    return {
      stdout: stdout.text,
      stderr: stderr.text,
      exitCode: ended?.exitCode,
      isOutOfMemory: ended?.isOutOfMemory,
      id: ended?.id,
      failure,
    };
  });
  return {
    supervisor,
    started: started as Promise<{ id: string; name: string }>,
    printed: async (text) => waitFor(stdout, text),
    outcome,
  };
}

interface Collected {
  text: string;
  stream: Readable;
}

function collect(stream: Readable): Collected {
  const collected = { text: '', stream };
  stream.setEncoding('utf8').on('data', (text: string) => (collected.text += text));
  return collected;
}

async function waitFor(collected: Collected, text: string): Promise<void> {
  while (!collected.text.includes(text)) {
    const ended = await Promise.race([
      once(collected.stream, 'data').then(() => false),
      once(collected.stream, 'close').then(() => true),
    ]);
    if (ended && !collected.text.includes(text)) throw new Error(`Cannot find "${text}" in "${collected.text}"`);
  }
}

function find<K extends 'started' | 'ended' | 'failed'>(
  lines: string,
  key: K,
): Extract<DriverReport, Record<K, unknown>>[K] | undefined {
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const report = JSON.parse(line) as Partial<Record<string, unknown>>;
    if (key in report) return report[key] as Extract<DriverReport, Record<K, unknown>>[K];
  }
  return undefined;
}
