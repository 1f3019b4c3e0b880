import { readFileSync, mkdirSync, writeFileSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { requires } from '../support/requirements.ts';
import { CALLERS } from './support/callers.ts';
import { useImageHome } from './support/image-home.ts';
import { TEST_BED_NEEDS } from './support/test-bed.ts';

describe.each(CALLERS)(
  'mydocker run with names, labels and mounts as $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ caller, user }) => {
    const home = useImageHome(user);

    it('--cidfile holds the ID, --label is shown and found by ps', async () => {
      const flags = ['--cidfile', 'id', '--label', 'app=web', '-l', 'empty', '--name', 'labelled'];
      expect(await home.mydocker(['run', ...flags, home.image, 'true'])).toMatchObject({ code: 0, stderr: '' });
      const format = ['--no-trunc', '--format', '{{.ID}} {{.Labels}} {{.Label "app"}}'];
      const id = readFileSync(join(home.folder, 'id'), 'utf8');
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      for (const filter of [['label=app'], ['label=app=web', '--filter', 'label=empty']]) {
        const { stdout } = await home.mydocker(['ps', '-a', '--filter', ...filter, ...format]);
        expect(stdout).toBe(`${id} app=web,empty= web\n`);
      }
      const none = await home.mydocker(['ps', '-aq', '--filter', 'label=app=web', '--filter', 'label=other']);
      expect(none.stdout).toBe('');
      const again = await home.mydocker(['run', '--cidfile', 'id', home.image, 'true']);
      expect(again).toMatchObject({ code: 125, stdout: '' });
      expect(again.stderr).toContain('container ID file found');
    });

    it('--domainname and --oom-score-adj are the command’s', async () => {
      const script = 'cat /proc/sys/kernel/domainname /proc/self/oom_score_adj';
      const flags = ['--domainname', 'example.org', '--oom-score-adj', '500'];
      const ran = await home.mydocker(['run', '--rm', ...flags, home.image, 'sh', '-c', script]);
      expect(ran).toEqual({ code: 0, stdout: 'example.org\n500\n', stderr: '' });
      const wrong = await home.mydocker(['run', '--rm', '--oom-score-adj', '1001', home.image, 'true']);
      expect(wrong).toMatchObject({ code: 125 });
      expect(wrong.stderr).toContain('range for oom score adj is [-1000, 1000]');
      if (caller === 'root') return; // may lower its own score where it has CAP_SYS_RESOURCE
      const low = await home.mydocker(['run', '--rm', '--oom-score-adj', '-900', home.image, 'true']);
      expect(low.stderr).toContain('Cannot adjust the score for the OOM killer: permission denied');
    });

    it('--mount binds what is there, and mounts a tmpfs', async () => {
      mkdirSync(join(home.folder, 'shared'), { recursive: true });
      writeFileSync(join(home.folder, 'shared/file'), 'content\n');
      chownSync(join(home.folder, 'shared'), home.uid, home.gid);
      const mounts = ['type=bind,source=./shared,target=/v,readonly', 'type=tmpfs,target=/t,tmpfs-mode=0700'];
      const script = 'cat /v/file; touch /v/x; touch /t/x; stat -c %a /t';
      const flags = mounts.flatMap((mount) => ['--mount', mount]);
      const ran = await home.mydocker(['run', '--rm', ...flags, home.image, 'sh', '-c', script]);
      expect(ran.stdout).toBe('content\n700\n');
      expect(ran.stderr).toMatch(/^touch: \/v\/x: Read-only file system\n$/);
      const missing = await home.mydocker([
        'run',
        '--rm',
        '--mount',
        'type=bind,src=./absent,dst=/v',
        home.image,
        'true',
      ]);
      expect(missing).toMatchObject({ code: 125, stdout: '' });
      expect(missing.stderr).toContain('bind source path does not exist');
    });

    it('an empty --user and --workdir are none', async () => {
      const ran = await home.mydocker([
        'run',
        '--rm',
        '--user',
        '',
        '-w',
        '',
        '-h',
        '',
        home.image,
        'sh',
        '-c',
        'id -u; pwd',
      ]);
      expect(ran).toEqual({ code: 0, stdout: '0\n/\n', stderr: '' });
      const group = await home.mydocker(['run', '--rm', '--user', ':0', home.image, 'id', '-g']);
      expect(group).toEqual({ code: 0, stdout: '0\n', stderr: '' });
    });
  },
);
