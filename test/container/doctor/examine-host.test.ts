import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineHost } from '../../../src/container/doctor/examine-host.ts';
import { requires } from '../../support/requirements.ts';

describe('examineHost()', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mydocker-doctor-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('finds that containers run, and leaves nothing behind', requires('root'), async () => {
    const { findings, canRun } = await examineHost({ home });
    expect(canRun).toBe(true);
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(findings.at(-1)).toMatchObject({ check: 'container', state: 'ok' });
    for (const folder of ['containers', 'layers', 'trash']) expect(readdirSync(join(home, folder))).toEqual([]);
  });

  it('tells of a store that cannot be opened, and of what else it can', async () => {
    const { findings, canRun } = await examineHost({ home: '/dev/null/none' });
    expect(canRun).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'store', state: 'problem' }));
    expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(['kernel', 'seccomp', 'runner']));
  });

  it('stops when told to', async () => {
    await expect(examineHost({ home, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
