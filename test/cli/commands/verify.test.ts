import { describe, expect, it } from 'vitest';

import { verifyCommand } from '../../../src/cli/commands/verify.ts';
import type { VerifyRequest } from '../../../src/cli/engine-api.ts';
import { ToolError } from '../../../src/errors.ts';
import type { Finding } from '../../../src/image/verify/finding.ts';
import { fakeContext } from '../support/fake-context.ts';
import { digest } from '../support/images.ts';

const ALPINE = 'docker.io/library/alpine:latest';
const BLOB: Finding = {
  kind: 'blob',
  state: 'damaged',
  digest: digest('a'),
  role: 'layer',
  images: [ALPINE],
  problem: `its digest is ${digest('b')}`,
};
const BLOB_TEXT = `damaged blob ${digest('a')} (layer of ${ALPINE}): its digest is ${digest('b')}`;

/** What comes of a verification that finds `findings`. */
async function run(
  findings: Finding[],
  ...argv: string[]
): Promise<{ code: number; out: string; request: VerifyRequest | undefined }> {
  let request: VerifyRequest | undefined;
  const context = fakeContext({
    verify: async (asked) => {
      request = asked;
      for (const finding of findings) asked.onFinding(finding);
      return { images: 1, blobs: 4, layers: 2, findings };
    },
  });
  const code = await verifyCommand.execute({ path: 'mydocker verify', argv }, context);
  return { code, out: context.out(), request };
}

describe('verify', () => {
  it('says that nothing is damaged', async () => {
    const { code, out } = await run([]);
    expect([code, out]).toEqual([0, 'Verified 1 image, 4 blobs and 2 layers: nothing is damaged\n']);
  });

  it('prints a line for each finding, says how to repair, and exits with 1', async () => {
    const { code, out } = await run([BLOB]);
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      BLOB_TEXT,
      'Verified 1 image, 4 blobs and 2 layers: 1 problem, 0 repaired',
      'To repair what can be repaired: mydocker verify --repair',
      '',
    ]);
  });

  it('exits with 0 if all is repaired', async () => {
    const { code, out } = await run([{ ...BLOB, repair: { isDone: true, how: 'downloaded again' } }], '--repair');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      `${BLOB_TEXT} [repaired: downloaded again]`,
      'Verified 1 image, 4 blobs and 2 layers: 1 problem, 1 repaired',
      '',
    ]);
  });

  it('exits with 1 if something is left after repair', async () => {
    const left: Finding = { ...BLOB, repair: { isDone: false, reason: 'no network' } };
    const { code, out } = await run([left, { ...BLOB, repair: { isDone: true, how: 'downloaded again' } }], '--repair');
    expect(code).toBe(1);
    expect(out).toContain(`${BLOB_TEXT} [not repaired: no network]\n`);
    expect(out).toContain('2 problems, 1 repaired\n');
    expect(out).not.toContain('--repair');
  });

  it.each<[Finding, string]>([
    [
      { ...BLOB, state: 'missing', role: 'other', images: [], problem: 'it is not in the store' },
      `missing blob ${digest('a')} (of no image): it is not in the store`,
    ],
    [
      { ...BLOB, images: ['a:1', 'b:1', 'c:1', 'd:1'], problem: 'x' },
      `damaged blob ${digest('a')} (layer of a:1, b:1, c:1 and 1 more): x`,
    ],
    [
      { kind: 'layer', state: 'damaged', chainId: digest('c'), images: [ALPINE], problem: 'bin/sh: it is missing' },
      `damaged layer ${digest('c')} (of ${ALPINE}): bin/sh: it is missing`,
    ],
    [{ kind: 'file', path: 'oci-layout', problem: 'it is not JSON' }, 'damaged file oci-layout: it is not JSON'],
    [{ kind: 'name', name: 'a:\u001b[1m', problem: 'x' }, 'damaged name a:\\x1b[1m: x'],
    [{ kind: 'name', name: undefined, problem: 'x' }, 'damaged file index.json: x'],
    [{ kind: 'extra', path: 'blobs/\n', problem: 'it is new' }, 'extra file blobs/\\n: it is new'],
  ])('tells a finding in a line: %#', async (finding, text) => {
    expect((await run([finding])).out.split('\n')[0]).toBe(text);
  });

  it.each<[string[], Partial<VerifyRequest>]>([
    [[], { image: undefined, deep: false, repair: false, insecureRegistries: [] }],
    [['alpine'], { image: 'alpine' }],
    [['--deep', '--repair', 'alpine'], { image: 'alpine', deep: true, repair: true }],
    [['--insecure-registry', 'r:1', '--home', '/h'], { insecureRegistries: ['r:1'], home: '/h' }],
  ])('asks for what the flags say: %j', async (argv, wanted) => {
    expect((await run([], ...argv)).request).toMatchObject(wanted);
  });

  it('takes one image at most', async () => {
    await expect(run([], 'a', 'b')).rejects.toThrow("'mydocker verify' requires at most 1 argument");
  });

  it('stops at Ctrl-C, with exit code 130 and without a word', async () => {
    const context = fakeContext({
      verify: async ({ signal }) => {
        context.signals.emit('SIGINT', 'SIGINT', 2);
        signal.throwIfAborted();
        throw new ToolError('ERR_STORE', 'not reached');
      },
    });
    expect(await verifyCommand.execute({ path: 'mydocker verify', argv: [] }, context)).toBe(130);
    expect(context.out() + context.err()).toBe('');
  });
});
