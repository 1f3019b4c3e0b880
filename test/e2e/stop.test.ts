import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { useImageHome } from './support/image-home.ts';
import { TEST_BED_NEEDS } from './support/test-bed.ts';

const LISTENING = 'trap "exit 3" INT; trap "exit 4" TERM; echo ready; while :; do sleep 0.05; done';
const DEAF = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';

describe.each(CALLERS)(
  'mydocker stop and kill as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user);

    it('stop sends the signal of --stop-signal, and answers when the container has ended', async () => {
      const run = home.start(['run', '--name', 'web', '--stop-signal', 'SIGINT', home.image, 'sh', '-c', LISTENING]);
      await run.says('ready');
      expect(await home.mydocker(['stop', 'web'])).toEqual({ code: 0, stdout: 'web\n', stderr: '' });
      const shown = await home.mydocker(['ps', '-a', '--filter', 'name=web', '--format', '{{.Status}}']);
      expect(shown.stdout).toMatch(/^Exited \(3\) /);
      expect(await run.ended).toMatchObject({ code: 3 });
      expect(await home.mydocker(['container', 'stop', 'web'])).toMatchObject({ code: 0, stdout: 'web\n' });
      const killed = await home.mydocker(['kill', 'web']);
      expect(killed).toMatchObject({ code: 1, stdout: '' });
      expect(killed.stderr).toMatch(/cannot kill container: web: container [0-9a-f]{64} is not running/);
    });

    it('stop kills what does not end in the time of --stop-timeout, and kill at once', async () => {
      for (const [name, flags, command] of [
        ['slow', ['--stop-timeout', '0'], 'stop'],
        ['deaf', [], 'kill'],
      ] as const) {
        const run = home.start(['run', '--rm', '--name', name, ...flags, home.image, 'sh', '-c', DEAF]);
        await run.says('ready');
        expect(await home.mydocker([command, name])).toEqual({ code: 0, stdout: `${name}\n`, stderr: '' });
        expect(await run.ended).toMatchObject({ code: 137 });
      }
    });

    it('says what is wrong', async () => {
      const wrong = await home.mydocker(['run', '--rm', '--stop-signal', 'FOO', home.image, 'true']);
      expect(wrong).toMatchObject({ code: 125, stdout: '' });
      expect(wrong.stderr).toContain('invalid signal: FOO');
      const missing = await home.mydocker(['stop', 'nope']);
      expect(missing).toEqual({ code: 1, stdout: '', stderr: 'Error: No such container: nope\n' });
    });
  },
);
