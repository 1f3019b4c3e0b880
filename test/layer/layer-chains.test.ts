import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { archive, file, folder, hardlink, symlink, whiteout } from '../support/tar/raw-tar.ts';
import { bundle } from './support/bundle.ts';
import { applyModel, type ModelEntry } from './support/layer-model.ts';

const RUNS = Number(process.env['MYDOCKER_TEST_RUNS'] ?? 1500);

describe('applyLayer() of random chains, seen through overlayfs', requires('root'), () => {
  let place: string;
  let server: ChildProcessByStdio<Writable, Readable, null>;
  let answers: AsyncIterator<string>;

  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'mydocker-chains-'));
    const program = await bundle('test/layer/support/apply-server.ts');
    // A tmpfs of its own, which goes away with its mount namespace.
    const script = 'mount -t tmpfs tmpfs "$1" && exec "$2" "$3" "$1"';
    const args = ['--mount', 'sh', '-c', script, 'sh', place, process.execPath, program];
    server = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  });

  afterAll(() => {
    server.stdin.end();
    rmSync(place, { recursive: true, force: true });
  });

  it('P2, P3: is what the specification says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(layer(), { minLength: 1, maxLength: 3 }), async (layers) => {
        expect(await applied(layers)).toEqual(applyModel(layers));
      }),
      { numRuns: RUNS },
    );
  }, 600_000);

  it('P3: does not depend on where in the archive the whiteouts are', async () => {
    await fc.assert(
      fc.asyncProperty(layer(), layer(), fc.integer(), async (lower, upper, seed) => {
        const isMarker = ({ kind }: ModelEntry): boolean => kind === 'whiteout' || kind === 'opaque';
        const entries = upper.filter((entry) => !isMarker(entry));
        const moved = [...entries];
        for (const [index, marker] of upper.filter(isMarker).entries()) {
          moved.splice(Math.abs(seed + index * 7) % (moved.length + 1), 0, marker);
        }
        expect(await applied([lower, moved])).toEqual(await applied([lower, upper]));
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  }, 600_000);

  async function applied(layers: readonly (readonly ModelEntry[])[]): Promise<unknown> {
    const archives = layers.map((entries) => archive(...entries.map(toTar)).toString('base64'));
    server.stdin.write(`${JSON.stringify(archives)}\n`);
    const { value } = (await answers.next()) as { value: string };
    const answer = JSON.parse(value) as unknown;
    return answer === 'ERR_LAYER' ? 'refused' : answer;
  }
});

/** Few names, so that the entries get in each other's way. */
function path(): fc.Arbitrary<string> {
  const names = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'));
  return fc
    .tuple(fc.constantFrom('', '', '', './', '/', 'a/../'), names)
    .map(([prefix, rest]) => (prefix === 'a/../' ? rest : prefix + rest));
}

function layer(): fc.Arbitrary<ModelEntry[]> {
  const mode = fc.constantFrom(0o644, 0o755, 0o700, 0o4711, 0o1777);
  const content = fc.constantFrom('', 'x', 'yy');
  const entry: fc.Arbitrary<ModelEntry> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('file' as const), path: path(), content, mode }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('folder' as const), path: path(), mode }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('symlink' as const),
        path: path(),
        target: fc.constantFrom('a', '/b', '../c', 'b/c', '..', 'a/../b'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('hardlink' as const), path: path(), target: path() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('whiteout' as const), path: path() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('opaque' as const), path: fc.oneof(path(), fc.constant('')) }),
    },
  );
  return fc.array(entry, { maxLength: 6 });
}

function toTar(entry: ModelEntry): Buffer {
  switch (entry.kind) {
    case 'file':
      return file(entry.path, entry.content, { mode: entry.mode });
    case 'folder':
      return folder(`${entry.path}/`, { mode: entry.mode });
    case 'symlink':
      return symlink(entry.path, entry.target);
    case 'hardlink':
      return hardlink(entry.path, entry.target);
    case 'whiteout':
      return whiteout(entry.path.replace(/[^/]+$/, '.wh.$&'));
    case 'opaque':
      return whiteout(`${entry.path}/.wh..wh..opq`);
  }
}
