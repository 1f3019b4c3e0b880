import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome, type CliHome } from './support/cli-home.ts';
import { closeScreens, openScreen, type Screen } from './support/screen.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

const NEEDS = requires(...TEST_BED_NEEDS, 'ordinary-users', 'tmux');

describe.each(CALLERS)('a terminal of $caller', NEEDS, ({ caller, user }) => {
  let home: CliHome;
  let image: string;
  let screen: Screen;
  let count = 0;
  let socket: string;

  beforeAll(async () => {
    home = openCliHome(user);
    image = `${testBed().registry}/library/busybox`;
    expect(await home.mydocker(['pull', '-q', image])).toMatchObject({ code: 0, stderr: '' });
  });
  afterAll(() => home.remove());

  beforeEach(async () => {
    count += 1;
    socket = `mydocker-${process.pid}-${caller.length}-${count}`;
    screen = openScreen(`mydocker run --rm -it ${image} sh; echo "ended with $?"; exec cat`, { home, user, socket });
    await screen.shows(/\/ #$/);
  });
  afterEach(() => closeScreens(socket));

  it('is the container’s own, of the size of the caller’s, also when that changes', async () => {
    screen.type('tty; stty size', 'Enter');
    await screen.shows(/^\/dev\/console\n30 100\n/m);
    screen.resize(80, 20);
    screen.type('while ! stty size | grep -q "20 80"; do :; done; echo resized', 'Enter');
    await screen.shows(/^resized$/m);
  });

  it('alone decides how lines end, as full-screen programs rely on', async () => {
    screen.type("stty -opost; printf 'one\\ntwo\\r\\n'; stty opost", 'Enter');
    await screen.shows(/^one\n {3}two$/m);
  });

  it('has job control: Ctrl-C, Ctrl-Z, background and foreground', async () => {
    const waiting = (word: string): string => `sh -c "echo ${word} is here; exec sleep 1000"`;
    screen.type(waiting('one'), 'Enter');
    await screen.shows(/^one is here$/m);
    screen.type('C-c');
    await screen.shows(/^\^C\n\/ #$/m);
    screen.type('echo "after $?"', 'Enter');
    await screen.shows(/^after 130$/m);
    screen.type(waiting('two'), 'Enter');
    await screen.shows(/^two is here$/m);
    screen.type('C-z');
    await screen.shows(/Stopped +sh -c "echo two/);
    // One after the other: the kernel tells a shell of a child that goes on, and busybox drops the line that it writes just then.
    screen.type('bg', 'Enter');
    await screen.shows(/^\[1\] sh -c "echo two.*\n\/ #$/m);
    screen.type('jobs', 'Enter');
    await screen.shows(/Running +sh -c "echo two/);
    screen.type('fg; echo "back $?"', 'Enter');
    await screen.shows(/"back \$\?"\n.*sh -c "echo two/);
    screen.type('C-c');
    screen.type('echo "none left: $(jobs)"', 'Enter');
    await screen.shows(/^none left:$/m);
  });

  it('runs vi and top', async () => {
    screen.type('vi /etc/passwd', 'Enter');
    await screen.shows(/^~\n[^]*- \/etc\/passwd /m);
    screen.type('ix', 'Escape');
    await screen.shows(/^- \/etc\/passwd \[Modified\]/m); // else it would take the next key and Escape for one
    screen.type(':wq', 'Enter');
    await screen.shows(/\/ #$/);
    screen.type('head -c 6 /etc/passwd; echo', 'Enter');
    await screen.shows(/^xroot:$/m);
    screen.type('top', 'Enter');
    await screen.shows(/PID +PPID USER/);
    screen.type('q');
    await screen.shows(/\/ #$/);
  });

  it('hangs up when the caller’s terminal is closed, and the container ends with its shell', async () => {
    screen.type('sleep 1000', 'Enter'); // in the foreground: it hears of the end as the shell does
    expect((await home.mydocker(['ps', '-q'])).stdout).toMatch(/^[0-9a-f]{12}\n$/);
    screen.close();
    const deadline = Date.now() + 20_000;
    while ((await home.mydocker(['ps', '-a', '-q'])).stdout !== '') {
      expect(Date.now(), 'the container has ended').toBeLessThan(deadline);
    }
  });

  it('ends with the exit code, and gives the caller’s terminal back as it was', async () => {
    screen.type('exit 7', 'Enter');
    await screen.shows(/^ended with 7$/m);
    screen.type('typed');
    await screen.shows(/^typed/m); // echoed: no raw mode any more
  });
});
