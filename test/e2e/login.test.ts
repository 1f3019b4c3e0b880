import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { PLAIN_USER } from '../support/test-users.ts';
import { openCliHome, type CliHome, type Ended } from './support/cli-home.ts';
import { startDistribution, type Distribution } from './support/distribution.ts';
import { execute } from './support/execute.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const PASSWORD = 's3cret:pa ss';
// bcrypt of the password; Distribution takes no other.
const HTPASSWD = 'alice:$2y$05$abcdefghijklmnopqrstuuTyLTqCletLBPD8vVulLXLEVhDn0wLKu\n';

describe('mydocker login and logout', requires(...TEST_BED_NEEDS), () => {
  let registry: Distribution;
  let home: CliHome;

  beforeAll(async () => {
    registry = await startDistribution({ storage: testBed().storage, htpasswd: HTPASSWD });
  });

  afterAll(async () => registry.stop());

  beforeEach(() => {
    home = openCliHome();
  });

  afterEach(() => home.remove());

  async function logIn(password: string, of: CliHome = home, env: Record<string, string> = {}): Promise<Ended> {
    return of.mydocker(['login', '-u', 'alice', '--password-stdin', registry.host], {
      stdin: { text: `${password}\n` },
      env,
    });
  }

  async function pull(of: CliHome = home, env: Record<string, string> = {}): Promise<Ended> {
    return of.mydocker(['pull', '-q', `${registry.host}/library/busybox`], { env });
  }

  function config(of: CliHome = home): string {
    return join(of.folder, '.docker/config.json');
  }

  async function goesThroughItAll(of: CliHome): Promise<void> {
    expect(await logIn('wrong', of)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: Cannot log in to "${registry.host}": unauthorized: incorrect username or password\n`,
    });
    expect(() => statSync(config(of))).toThrow('ENOENT');
    const denied = await pull(of);
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain(`pull access denied for ${registry.host}/library/busybox`);
    expect(denied.stderr).toContain(`mydocker login ${registry.host}`);

    const loggedIn = await logIn(PASSWORD, of);
    expect(loggedIn).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    expect(loggedIn.stderr).toContain(`WARNING! Your credentials are stored unencrypted in '${config(of)}'.`);
    const { mode, uid } = statSync(config(of));
    expect([mode & 0o7777, uid]).toEqual([0o600, of.uid]);
    expect(await pull(of)).toMatchObject({ code: 0, stderr: '' });

    const logout = ['logout', registry.host];
    expect(await of.mydocker(logout)).toEqual({
      code: 0,
      stdout: `Removing login credentials for ${registry.host}\n`,
      stderr: '',
    });
    expect((await pull(of)).code).toBe(1);
    expect(await of.mydocker(logout)).toMatchObject({ code: 0, stdout: `Not logged in to ${registry.host}\n` });
  }

  it('A19 R39 a wrong password is not kept, the right one lets pull in until logout', async () =>
    goesThroughItAll(home));

  it('A19 the same as an ordinary user', requires('ordinary-users'), async () => {
    const own = openCliHome(PLAIN_USER);
    try {
      await goesThroughItAll(own);
    } finally {
      own.remove();
    }
  });

  it('asks at a terminal, and does not show the password', requires('script'), async () => {
    const prefix = ['sh', '-c', 'exec script -qec "$*" /dev/null', 'sh'];
    const asking = home.start(['login', registry.host], { prefix, stdin: 'open' });
    await asking.says('Username: ');
    asking.child.stdin?.write('alice\r');
    await asking.says('Password: ');
    asking.child.stdin?.write(`${PASSWORD}\r`);
    const { code, stdout } = await asking.ended;
    expect(stdout).toContain('Login Succeeded');
    expect(stdout).not.toContain(PASSWORD);
    expect(code).toBe(0);

    await home.mydocker(['logout', registry.host]);
    const stopped = home.start(['login', '-u', 'alice', registry.host], { prefix, stdin: 'open' });
    await stopped.says('Password: ');
    stopped.child.stdin?.write('s3\u0003');
    expect(await stopped.ended).toMatchObject({ code: 130, stdout: expect.not.stringContaining('s3') as string });
  });

  it('asks nobody where there is no terminal', async () => {
    expect(await home.mydocker(['login', '-u', 'alice', registry.host])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: cannot perform an interactive login from a non-TTY device\n',
    });
  });

  it('keeps the login with the helper that config.json names', async () => {
    const bin = join(home.folder, 'bin');
    mkdirSync(bin);
    mkdirSync(join(home.folder, '.docker'));
    const helper = `#!/bin/sh
case $1 in
  store) cat >"$HOME/kept" ;;
  get) cat "$HOME/kept" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
  erase) rm "$HOME/kept" ;;
esac`;
    writeFileSync(join(bin, 'docker-credential-test'), helper, { mode: 0o755 });
    writeFileSync(config(), '{"credsStore":"test"}');
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    expect(await logIn(PASSWORD, home, env)).toEqual({ code: 0, stdout: 'Login Succeeded\n', stderr: '' });
    expect(JSON.parse(readFileSync(config(), 'utf8'))).toEqual({ credsStore: 'test', auths: { [registry.host]: {} } });
    expect(await pull(home, env)).toMatchObject({ code: 0, stderr: '' });

    // Without it: what needs no login works, and what does says what is missing.
    const open = await home.mydocker(['pull', '-q', `${testBed().registry}/library/busybox`]);
    expect(open).toMatchObject({ code: 0, stderr: '' });
    const denied = await pull();
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain('"docker-credential-test": it is not installed');

    expect(await home.mydocker(['logout', registry.host], { env })).toMatchObject({ code: 0 });
    expect((await pull(home, env)).code).toBe(1);
  });

  it('shares logins with skopeo, both ways', async () => {
    const image = `docker://${registry.host}/library/busybox`;
    await logIn(PASSWORD);
    const options = { env: { PATH: process.env['PATH'] ?? '', HOME: home.folder } };
    expect(execute('skopeo', ['inspect', '--tls-verify=false', '--raw', image], options)).toContain('schemaVersion');
    await home.mydocker(['logout', registry.host]);
    expect((await pull()).code).toBe(1);

    const file = join(home.folder, 'runtime/containers/auth.json');
    mkdirSync(join(file, '..'), { recursive: true });
    const login = ['login', '--tls-verify=false', '--authfile', file, '-u', 'alice', '-p', PASSWORD, registry.host];
    execute('skopeo', login, options);
    const env = { XDG_RUNTIME_DIR: join(home.folder, 'runtime') };
    expect(await pull(home, env)).toMatchObject({ code: 0, stderr: '' });
    expect(await home.mydocker(['logout', registry.host], { env })).toMatchObject({ code: 0 });
    expect((await pull(home, env)).code).toBe(1);
  });
});
