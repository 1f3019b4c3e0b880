import { expect, it, onTestFinished } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { openCliHome } from './support/cli-home.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

it.each(CALLERS)(
  'mydocker tag names an image without the network, and image protect keeps the name, as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  async ({ user }) => {
    const home = openCliHome(user);
    onTestFinished(() => home.remove());
    const image = `${testBed().registry}/library/busybox`;
    const env = { MYDOCKER_OFFLINE: '1' };
    await home.mydocker(['pull', '-q', image]);
    const says = async (...args: string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await home.mydocker(args, { env });
      return [code, stdout, stderr];
    };
    expect(await says('tag', image, 'mine:v1')).toEqual([0, '', '']);
    expect(await says('image', 'protect', 'mine:v1')).toEqual([0, 'mine:v1\n', '']);
    expect(await says('rmi', image)).toEqual([0, `Untagged: ${image}:latest\n`, '']);
    const id = (await home.mydocker(['images', '-q', '-f', 'protected=true'], { env })).stdout.trim();
    for (const name of ['mine:v1', id]) {
      expect(await says('rmi', '-f', name)).toEqual([
        1,
        '',
        'Error: conflict: unable to delete mine:v1 (cannot be forced) - image is protected\n' +
          'To delete it all the same, run this before: mydocker image unprotect mine:v1\n',
      ]);
    }
    expect(await says('run', '--rm', 'mine:v1', 'echo', 'hey')).toEqual([0, 'hey\n', '']);
    expect(await says('image', 'unprotect', 'mine:v1')).toEqual([0, 'mine:v1\n', '']);
    expect(await says('rmi', 'mine:v1')).toMatchObject([0, expect.stringMatching(/^Untagged: mine:v1\nDeleted: /), '']);
  },
);
