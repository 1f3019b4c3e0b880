import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { PLAIN_USER } from '../../support/test-users.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)('who a container of $caller is', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  const home = useImageHome(user);

  const hasIds = user !== PLAIN_USER;

  it('--user is a name or an id of the image, and the home folder is theirs', async () => {
    const script = 'id -u; id -g; id -G; echo $HOME';
    const root = await home.shell(script, '--user', 'root');
    expect(root).toMatchObject({ code: 0, stdout: '0\n0\n0\n/root\n' });
    const app = await home.shell(script, '--user', 'app');
    if (hasIds) expect(app).toMatchObject({ code: 0, stdout: '1000\n1000\n1000 2000\n/home/app\n' });
    else expect(app).toMatchObject({ code: 125, stderr: expect.stringMatching(/\/etc\/subuid/) as string });
    const number = await home.shell(script, '-u', '1234:0');
    if (hasIds) expect(number).toMatchObject({ code: 0, stdout: '1234\n0\n0\n/\n' });
    else expect(number.code).toBe(125);
  });

  it('--user that the image does not know is refused', async () => {
    const refused = await home.shell('true', '--user=nobody-here');
    expect(refused).toMatchObject({ code: 125, stdout: '' });
    expect(refused.stderr).toMatch(/unable to find user nobody-here: no matching entries in passwd file/);
  });

  it('--group-add adds groups by name and by id', async () => {
    const groups = await home.shell('id -G', '--group-add', 'extra', '--group-add=55');
    expect(groups).toMatchObject({ code: 0, stdout: hasIds ? '0 55 2000\n' : '0\n' }); // no group but root's exists
    const refused = await home.shell('true', '--group-add', 'no-such');
    expect(refused).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/unable to find group no-such/) as string,
    });
  });

  it('--hostname is the name of the host, in its files and its variable too', async () => {
    const script = 'hostname; cat /etc/hostname; echo $HOSTNAME; grep -c "[[:space:]]my-name$" /etc/hosts';
    const named = await home.shell(script, '--hostname', 'my-name');
    expect(named).toMatchObject({ code: 0, stdout: 'my-name\nmy-name\nmy-name\n1\n' });
    expect((await home.shell('hostname', '-h', 'other.example')).stdout).toBe('other.example\n');
  });

  it('--name names the container for other commands, and is free again after it', async () => {
    const running = home.start(['run', '--rm', '-i', '--name', 'web', home.image, 'sh', '-c', 'echo ready; cat'], {
      stdin: 'open',
    });
    await running.says('ready');
    expect((await home.mydocker(['ps', '--format', '{{.Names}}'])).stdout).toBe('web\n');
    const second = await home.run(['--name=web'], ['true']);
    expect(second.code).toBe(125);
    expect(second.stderr).toMatch(
      /Conflict\. The container name "\/web" is already in use by container "[0-9a-f]{64}"/,
    );
    running.child.stdin?.end();
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(await home.run(['--name=web'], ['true'])).toMatchObject({ code: 0, stderr: '' });
    expect(await home.run(['--name', '-web'], ['true'])).toMatchObject({ code: 125 });
  });

  it('--workdir is where the command starts, made where it is not there', async () => {
    expect((await home.run(['--workdir', '/home'], ['pwd'])).stdout).toBe('/home\n');
    expect((await home.run(['-w', '/made/here'], ['pwd'])).stdout).toBe('/made/here\n');
    expect(await home.run(['--workdir', 'relative'], ['pwd'])).toMatchObject({ code: 125 });
  });

  it('--entrypoint goes before the command', async () => {
    expect(await home.run(['--entrypoint', 'echo'], ['-n', 'words'])).toMatchObject({ code: 0, stdout: 'words' });
    expect(await home.run(['--entrypoint', '/bin/false'], [])).toMatchObject({ code: 1 });
    const cleared = await home.run(['--entrypoint='], ['echo', 'mine']);
    expect(cleared).toMatchObject({ code: 0, stdout: 'mine\n' });
  });
});
