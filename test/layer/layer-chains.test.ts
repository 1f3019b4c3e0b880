import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/oci/digest.ts';
import { requires } from '../support/requirements.ts';
import { longTimeout, rounds, seed } from '../support/soak.ts';
import { frame, type Framing } from '../support/tar/framing.ts';
import {
  archive,
  file,
  folder,
  hardlink,
  pax,
  rawEntry,
  symlink,
  whiteout,
  type RawEntry,
} from '../support/tar/raw-tar.ts';
import { startApplyServer, type ApplyAnswer, type ApplyRequest, type ApplyServer } from './support/apply-client.ts';
import { applyModel, type ModelAttributes, type ModelEntry } from './support/layer-model.ts';

/** Cases of the property that has nearly all of it; the others have fewer. */
const RUNS = rounds(2000, 100_000);
const TIMEOUT = longTimeout(120_000);

/** All at once, in the pieces of a decompressor, and around the length of a block. */
const FRAMINGS: Framing[] = [
  'plain',
  'gzip',
  'gzip in two members',
  ...[511, 512, 513, 100_000].map((zstdBlock) => ({ zstdBlock })),
];
const ALL_FRAMINGS: Framing[] = [...FRAMINGS, { zstdBlock: 1 }, { zstdBlock: 7 }]; // these take long

/** Everything here was looked at from outside as well: see ApplyAnswer's `broken` for P1, P4 and P5. */
describe('applyLayer() of random chains', requires('root'), () => {
  let server: ApplyServer;

  beforeAll(async () => {
    server = await startApplyServer();
  });

  afterAll(async () => server.stop());

  it(
    'P1, P2, P3, P4, P5, P6: is what the specification says, in both drivers, in pieces of any size, and harms nothing',
    async () => {
      const chains = fc.array(layer(), { minLength: 1, maxLength: 3 });
      const form = fc.constantFrom('trusted' as const, 'trusted' as const, 'user' as const, 'file' as const);
      await check(RUNS, fc.tuple(chains, form, fc.nat()), async ([layers, whiteouts, pick]) => {
        const answer = await apply(layers, whiteouts, (index) => FRAMINGS[(pick + index) % FRAMINGS.length]!);
        expectSame(answer, layers, whiteouts);
      });
    },
    TIMEOUT,
  );

  it(
    'P3: does not depend on where in the archive the whiteouts are',
    async () => {
      await check(Math.ceil(RUNS / 6), fc.tuple(layer(), layer(), fc.nat()), async ([lower, upper, pick]) => {
        const isMarker = ({ kind }: ModelEntry): boolean => kind === 'whiteout' || kind === 'opaque';
        const moved = upper.filter((entry) => !isMarker(entry));
        for (const [index, marker] of upper.filter(isMarker).entries()) {
          moved.splice((pick + index * 7) % (moved.length + 1), 0, marker);
        }
        expect(treesOf(await apply([lower, moved]))).toEqual(treesOf(await apply([lower, upper])));
      });
    },
    TIMEOUT,
  );

  it(
    'P6: is the same in pieces of any size',
    async () => {
      await check(Math.ceil(RUNS / 48), fc.array(layer(), { minLength: 1, maxLength: 2 }), async (layers) => {
        const answers: ApplyAnswer[] = [];
        for (const framing of ALL_FRAMINGS) answers.push(await apply(layers, 'trusted', () => framing));
        for (const answer of answers) expect(answer).toEqual(answers[0]);
      });
    },
    TIMEOUT,
  );

  it(
    'P7: is refused if any byte is another than the digest says, also after the end of the archive',
    async () => {
      const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
      const tail = fc.uint8Array({ maxLength: 2000 });
      const cases = fc.tuple(layer(), tail, position, fc.integer({ min: 1, max: 255 }), fc.constantFrom(...FRAMINGS));
      await check(Math.ceil(RUNS / 12), cases, async ([entries, garbage, at, bits, framing]) => {
        const bytes = Buffer.concat([archive(...entries.map(toTar)), garbage]);
        const diffId = digestOf(bytes);
        const whole = await server.apply({
          layers: [{ blob: base64(frame(bytes, framing)), diffId }],
          form: 'trusted',
        });
        expect(treesOf(whole)).toEqual(treesOf(await apply([entries])));
        const changed = Buffer.from(bytes);
        changed[Math.floor(at * bytes.length)]! ^= bits;
        for (const wrong of [changed, bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])]) {
          const blob = base64(frame(wrong, framing));
          const answer = await server.apply({ layers: [{ blob, diffId }], form: 'trusted' });
          expect(answer).toMatchObject({
            refused: { code: expect.stringMatching(/^ERR_(INTEGRITY|LAYER|LIMIT)$/) as string },
          });
        }
      });
    },
    TIMEOUT,
  );

  async function apply(
    layers: readonly (readonly ModelEntry[])[],
    form: ApplyRequest['form'] = 'trusted',
    framingOf: (index: number) => Framing = () => 'plain',
  ): Promise<ApplyAnswer> {
    const requests = layers.map((entries, index) => {
      const bytes = archive(...entries.map(toTar));
      return { blob: base64(frame(bytes, framingOf(index))), diffId: digestOf(bytes) };
    });
    return server.apply({ layers: requests, form });
  }
});

async function check<T>(runs: number, values: fc.Arbitrary<T>, predicate: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(values, predicate), { numRuns: runs, seed });
}

function expectSame(answer: ApplyAnswer, layers: ModelEntry[][], form: ApplyRequest['form']): void {
  const expected = applyModel(layers);
  if ('tree' in expected) {
    const { tree } = expected;
    expect(answer).toEqual(form === 'file' ? { copy: tree } : { copy: tree, overlay: tree });
    return;
  }
  const { layer: index, entry } = expected.refused;
  expect(answer).toMatchObject({ refused: { code: 'ERR_LAYER', layer: index } });
  if (!('refused' in answer)) return;
  const { index: found = -1, entry: name, message } = answer.refused;
  // Only a hard link to what is taken away later is found after the entries that come behind it.
  const wanted = layers[index]![entry]!;
  if (wanted.kind === 'hardlink') expect(found).toBeGreaterThanOrEqual(entry);
  else expect(found).toBe(entry);
  expect(name).toBe(nameInTar(layers[index]![found]!));
  expect(message).toMatch(/^Cannot unpack layer "test": entry \d+, "[\x20-\x7e\ufffd]*": [\x20-\x7e\ufffd]+$/);
}

/** The trees, or that it was refused; refusals need not name the same entry. */
function treesOf(answer: ApplyAnswer): unknown {
  return 'refused' in answer ? answer.refused.code : answer;
}

/** Few names, so that the entries get in each other's way. */
function path(): fc.Arbitrary<string> {
  const name = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('a', 'b', 'c') },
    { weight: 1, arbitrary: fc.constantFrom('\xff\xfe', '\x1b[1m\n', '__proto__', '-rf *', '...') },
  );
  const names = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const prefix = fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom('', '', '', './', '/', '//', 'a/../', 'b/./') },
    { weight: 1, arbitrary: fc.constantFrom('../', '/../', 'a/../../', '../victim/', '../0-evil/') },
  );
  return fc.tuple(prefix, names).map(([start, rest]) => start + rest);
}

function attributes(): fc.Arbitrary<ModelAttributes> {
  return fc.record({
    mode: fc.constantFrom(0o644, 0o755, 0, 0o4711, 0o1777, 0o7777),
    uid: fc.constantFrom(0, 0, 7, 4_000_000_000),
    gid: fc.constantFrom(0, 0, 8),
    mtime: fc.constantFrom(1_700_000_000, 5),
    xattr: fc.constantFrom(undefined, undefined, undefined, 'v'),
  });
}

function layer(): fc.Arbitrary<ModelEntry[]> {
  const kind = <K extends ModelEntry['kind']>(name: K): fc.Arbitrary<{ kind: K; path: string }> =>
    fc.record({ kind: fc.constant(name), path: path() });
  const withAttributes = <T>(entry: fc.Arbitrary<T>): fc.Arbitrary<T & ModelAttributes> =>
    fc.tuple(entry, attributes()).map(([first, second]) => ({ ...first, ...second }));
  const targets = fc.constantFrom('a', '/b', '../c', 'b/c', '..', 'a/../b', '../../victim', '/', '.wh.a');
  const entry: fc.Arbitrary<ModelEntry> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(withAttributes(kind('file')), fc.constantFrom('', 'x', 'yy'))
        .map(([rest, content]) => ({ ...rest, content })),
    },
    { weight: 4, arbitrary: withAttributes(kind('folder')) },
    { weight: 1, arbitrary: withAttributes(kind('fifo')) },
    { weight: 1, arbitrary: withAttributes(kind('device')) },
    {
      weight: 2,
      arbitrary: fc.tuple(withAttributes(kind('symlink')), targets).map(([rest, target]) => ({ ...rest, target })),
    },
    { weight: 2, arbitrary: fc.tuple(kind('hardlink'), path()).map(([rest, target]) => ({ ...rest, target })) },
    { weight: 3, arbitrary: kind('whiteout') },
    { weight: 2, arbitrary: kind('opaque') },
    { weight: 1, arbitrary: fc.constant({ kind: 'opaque' as const, path: '' }) },
    { weight: 1, arbitrary: withAttributes(fc.constant({ kind: 'folder' as const, path: './' })) },
  );
  return fc.array(entry, { maxLength: 6 });
}

function nameInTar(entry: ModelEntry): string {
  if (entry.kind === 'whiteout') return entry.path.replace(/[^/]+$/, '.wh.$&');
  if (entry.kind === 'opaque') return `${entry.path}/.wh..wh..opq`;
  return entry.kind === 'folder' ? `${entry.path}/` : entry.path;
}

function toTar(entry: ModelEntry): Buffer {
  const name = nameInTar(entry);
  switch (entry.kind) {
    case 'file':
      return withXattr(entry, file(name, entry.content, headerOf(entry)));
    case 'folder':
      return withXattr(entry, folder(name, headerOf(entry)));
    case 'fifo':
      return withXattr(entry, rawEntry({ name, type: '6', ...headerOf(entry) }));
    case 'device':
      return rawEntry({ name, type: '3', deviceMajor: 1, deviceMinor: 3 });
    case 'symlink':
      return withXattr(entry, symlink(name, entry.target, headerOf({ ...entry, mode: 0o777 })));
    case 'hardlink':
      return hardlink(name, entry.target);
    case 'whiteout':
    case 'opaque':
      return whiteout(name);
  }
}

/** An owner that is too large for its field goes into PAX. */
function headerOf({ mode, uid, gid, mtime }: ModelAttributes): RawEntry {
  return { mode, uid: uid > 0o7777777 ? 0 : uid, gid, mtime };
}

function withXattr({ uid, xattr }: Omit<ModelAttributes, 'mode'>, entry: Buffer): Buffer {
  const records = {
    ...(uid > 0o7777777 ? { uid } : {}),
    ...(xattr === undefined ? {} : { 'SCHILY.xattr.user.a': xattr }),
  };
  return Object.keys(records).length === 0 ? entry : Buffer.concat([pax(records), entry]);
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
