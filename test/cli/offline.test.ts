import { describe, expect, it, vi } from 'vitest';
import type { EngineApi } from '../../src/cli/engine-api.ts';
import { registryOptions } from '../../src/cli/engine/registry-options.ts';
import { main } from '../../src/cli/main.ts';
import { isOffline, refuseOffline, withOffline } from '../../src/cli/offline.ts';
import { fakeContext } from './support/fake-context.ts';

describe('isOffline()', () => {
  it.each([
    [{}, false],
    [{ MYDOCKER_OFFLINE: '' }, false],
    [{ MYDOCKER_OFFLINE: '0' }, false],
    [{ MYDOCKER_OFFLINE: 'false' }, false],
    [{ MYDOCKER_OFFLINE: '1' }, true],
    [{ MYDOCKER_OFFLINE: 'true' }, true],
  ])('of %j is %j', (env, expected) => {
    expect(isOffline(env)).toBe(expected);
  });

  it.each(['yes', 'on', '2', ' 1', '\u001b[31m'])('refuses %j', (value) => {
    expect(() => isOffline({ MYDOCKER_OFFLINE: value })).toThrow(
      /^Cannot use MYDOCKER_OFFLINE ".*": 1 or 0 was wanted$/,
    );
  });
});

it('withOffline() lets the flag win, and leaves the rest alone', () => {
  const env = { MYDOCKER_OFFLINE: 'junk', HOME: '/x' };
  expect(withOffline(env, undefined)).toBe(env);
  expect(withOffline(env, false)).toEqual({ MYDOCKER_OFFLINE: '0', HOME: '/x' });
  expect(withOffline(env, true)).toEqual({ MYDOCKER_OFFLINE: '1', HOME: '/x' });
});

it('refuseOffline() and registryOptions() keep whoever asks for the network from it', () => {
  const env = { MYDOCKER_OFFLINE: '1' };
  for (const ask of [() => refuseOffline(env), () => registryOptions({ env, insecureRegistries: [] })]) {
    expect(ask).toThrow(expect.objectContaining({ code: 'ERR_OFFLINE' }) as Error);
  }
  expect(() => refuseOffline({})).not.toThrow();
});

describe('--offline', () => {
  /** The MYDOCKER_OFFLINE that the engine is handed. */
  async function handedOn(argv: string[], env: Record<string, string> = {}): Promise<string | undefined> {
    const pull = vi.fn<EngineApi['pull']>();
    const run = vi.fn<EngineApi['run']>(async () => ({ exitCode: 0 }) as never);
    expect(await main(argv, fakeContext({ pull, run }, { env }))).toBe(0);
    const request = pull.mock.calls[0]?.[1] ?? run.mock.calls[0]?.[1];
    return request?.env['MYDOCKER_OFFLINE'];
  }

  it.each([
    [['pull', 'x'], {}, undefined],
    [['pull', '--offline', 'x'], {}, '1'],
    [['--offline', 'pull', 'x'], {}, '1'],
    [['run', '--offline', 'x'], {}, '1'],
    [['--offline', 'run', 'x'], {}, '1'],
    [['--offline', 'run', '--offline=false', 'x'], {}, '0'],
    [['pull', 'x'], { MYDOCKER_OFFLINE: '1' }, '1'],
    [['--offline=false', 'pull', 'x'], { MYDOCKER_OFFLINE: '1' }, '0'],
    [['pull', '--offline=false', 'x'], { MYDOCKER_OFFLINE: '1' }, '0'],
  ])('in %j with %j', async (argv, env, expected) => {
    expect(await handedOn(argv, env)).toBe(expected);
  });

  it('changes nothing that the container sees', async () => {
    const run = vi.fn<EngineApi['run']>(async () => ({ exitCode: 0 }) as never);
    await main(['run', '--offline', '-e', 'MYDOCKER_OFFLINE', 'x'], fakeContext({ run }));
    expect(run.mock.calls[0]?.[1].environment).toEqual(['MYDOCKER_OFFLINE']);
  });
});
