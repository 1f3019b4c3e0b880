import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { callerEnvironment } from '../../src/cli/caller-environment.ts';
import { temporaryFolder } from '../fs/temporary-folder.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/bin/mydocker.cjs', import.meta.url));

describe('callerEnvironment()', () => {
  it.each([
    [{}, {}],
    [
      { A: '1', NODE_EXTRA_CA_CERTS: '/ca' },
      { A: '1', NODE_EXTRA_CA_CERTS: '/ca' },
    ],
    [
      { A: '1', MYDOCKER_NODE_EXTRA_CA_CERTS: '/ca' },
      { A: '1', NODE_EXTRA_CA_CERTS: '/ca' },
    ],
    // A caller that starts node itself, with what a launcher above it has left.
    [{ NODE_EXTRA_CA_CERTS: '/own', MYDOCKER_NODE_EXTRA_CA_CERTS: '/ca' }, { NODE_EXTRA_CA_CERTS: '/own' }],
  ])('of %j is %j', (env, expected) => expect(callerEnvironment(env)).toEqual(expected));
});

describe('the launcher', () => {
  it.each([
    [{}, {}],
    [{ NODE_EXTRA_CA_CERTS: '' }, { NODE_EXTRA_CA_CERTS: '' }],
    [{ NODE_EXTRA_CA_CERTS: '/a b/$c"d' }, { MYDOCKER_NODE_EXTRA_CA_CERTS: '/a b/$c"d' }],
  ])('starts Node without certificates that it would parse in vain: %j', async (given, expected) => {
    const path = join(await temporaryFolder(), 'launcher');
    const [shebang = '', line = ''] = readFileSync(PROGRAM, 'utf8').split('\n');
    const report = 'process.stdout.write(JSON.stringify([process.argv.slice(2), process.env]))';
    writeFileSync(path, `${shebang}\n${line}\n${report}\n`);
    chmodSync(path, 0o755);
    const { stdout } = spawnSync(path, ['a b', '--env-file', 'x'], {
      env: { PATH: process.env['PATH'] ?? '', ...given },
      encoding: 'utf8',
    });
    const [args, env] = JSON.parse(stdout) as [string[], Record<string, string>];
    expect(args).toEqual(['a b', '--env-file', 'x']);
    const own = Object.entries(env).filter(([name]) => name.endsWith('NODE_EXTRA_CA_CERTS'));
    expect(Object.fromEntries(own)).toEqual(expected);
  });
});
