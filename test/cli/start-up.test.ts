import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Too slow to load for whoever does not need them. */
const HEAVY = ['undici', 'tar-stream', 'ssri', 'proper-lockfile', 'koffi', 'fzstd', 'smol-toml'];

describe('what is loaded at the start', () => {
  let outputs: Metafile['outputs'];

  // Cut as scripts/build.mjs cuts it, at each import() of the sources.
  beforeAll(async () => {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: ['src/cli/bin.ts', 'src/cli/supervisor.ts', 'src/index.ts'],
      outdir: 'dist',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      external: ['koffi'],
      metafile: true,
      write: false,
    });
    ({ outputs } = metafile);
  });

  /** Sources and packages that come with those modules, without what these import() later. */
  function loadedWith(...sources: string[]): string[] {
    const seen = new Set<string>();
    const visit = (path: string): string[] => {
      const output = outputs[path];
      if (output === undefined || seen.has(path)) return [];
      seen.add(path);
      const now = output.imports.filter(({ kind }) => kind === 'import-statement' || kind === 'require-call');
      const packages = now.filter(({ external }) => external === true).map((one) => one.path);
      return [...Object.keys(output.inputs), ...packages, ...now.flatMap((one) => visit(one.path))];
    };
    const entries = Object.keys(outputs).filter((path) => sources.includes(outputs[path]?.entryPoint ?? ''));
    expect(entries).toHaveLength(sources.length);
    return entries.flatMap(visit).map((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path);
  }

  it.each([
    ['run', 'src/cli/commands/run.ts', 'src/cli/engine/run.ts'],
    ['run -i -t', 'src/cli/commands/run.ts', 'src/cli/engine/run-detachable.ts'],
    ['attach', 'src/cli/commands/attach.ts', 'src/cli/engine/attach.ts'],
    ['images', 'src/cli/commands/images.ts', 'src/cli/engine/images.ts'],
    ['ps', 'src/cli/commands/ps.ts', 'src/cli/engine/containers.ts'],
    ['pull, before it goes to the network,', 'src/cli/commands/pull.ts', 'src/cli/engine/pull.ts', 'src/image/pull.ts'],
  ])('of %s on cached images is nothing of the network, of archives or of libc', (_, ...sources) => {
    const loaded = loadedWith('src/cli/bin.ts', ...sources);
    expect(loaded).toContain('commander');
    expect(loaded.filter((name) => HEAVY.includes(name))).toEqual([]);
  });

  it('of images is nothing that starts processes', () => {
    const loaded = loadedWith('src/cli/bin.ts', 'src/cli/commands/images.ts', 'src/cli/engine/images.ts');
    expect(loaded).toContain('src/image/list-images.ts');
    expect(loaded).not.toContain('src/linux/spawn-mapped.ts');
    expect(loaded).not.toContain('src/cli/open-terminal.ts');
  });

  it('of the process that looks after a container is nothing of those either', () => {
    const loaded = loadedWith('src/cli/supervisor.ts');
    expect(loaded).toContain('src/container/plan-container.ts');
    expect(loaded.filter((name) => HEAVY.includes(name))).toEqual([]);
  });

  it('of the library is nothing of the network: offline mode needs none', () => {
    expect(loadedWith('src/index.ts')).not.toContain('undici');
  });

  it('of the program itself is no package at all', () => {
    const loaded = loadedWith('src/cli/bin.ts');
    expect(loaded.filter((name) => !name.startsWith('src/') && !name.startsWith('node:'))).toEqual([]);
  });

  it('of pull is undici: the test would see it', () => {
    const loaded = loadedWith('src/image/pull-image.ts');
    expect(loaded).toContain('undici');
    // smol-toml only once there is a hosts.toml to read, and what locks and unpacks only once there is something to store.
    expect(loaded.filter((name) => HEAVY.includes(name) && name !== 'undici')).toEqual([]);
    expect(loaded).not.toContain('src/layer/start-unpack-child.ts');
  });
});
