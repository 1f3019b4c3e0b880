import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { wantedDetachKeys } from '../../src/cli/detach-keys-flag.ts';

const DEFAULT = [16, 17];

describe('wantedDetachKeys()', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-keys-'));
    mkdirSync(join(folder, '.docker'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['the flag', 'ctrl-a', '{"detachKeys":"ctrl-b"}', [1]],
    ['the file, where there is no flag', undefined, '{"detachKeys":"ctrl-b,c"}', [2, 99]],
    ['the file, where the flag is empty', '', '{"detachKeys":"ctrl-b"}', [2]],
    ['docker’s, where the file says nothing', undefined, '{"auths":{}}', DEFAULT],
    ['docker’s, where the file says nothing of use', undefined, '{"detachKeys":[1]}', DEFAULT],
    ['docker’s, where the file is empty of them', undefined, '{"detachKeys":""}', DEFAULT],
    ['docker’s, where the file cannot be understood', undefined, 'null', DEFAULT],
  ])('are those of %s', async (_, flag, file, keys) => {
    writeFileSync(join(folder, '.docker/config.json'), file);
    for (const env of [{ HOME: folder }, { HOME: '/nowhere', DOCKER_CONFIG: join(folder, '.docker') }]) {
      expect([...(await wantedDetachKeys(flag, { env, isInteractive: true }))]).toEqual(keys);
    }
  });

  it('are not looked up where nobody types', async () => {
    writeFileSync(join(folder, '.docker/config.json'), '{"detachKeys":"shift-a"}');
    const env = { HOME: folder };
    expect([...(await wantedDetachKeys(undefined, { env, isInteractive: false }))]).toEqual(DEFAULT);
    await expect(wantedDetachKeys(undefined, { env, isInteractive: true })).rejects.toThrow(
      "invalid detach keys (shift-a): unknown character: 'shift-a'",
    );
  });

  it('are docker’s where there is no file', async () => {
    expect([...(await wantedDetachKeys(undefined, { env: {}, isInteractive: true }))]).toEqual(DEFAULT);
  });
});
