import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { temporaryFolder } from '../fs/temporary-folder.ts';
import { requires } from '../support/requirements.ts';
import { openCliHome } from './support/cli-home.ts';
import { startRecordingProxy } from './support/recording-proxy.ts';
import { testBed, TEST_BED_NEEDS } from './support/test-bed.ts';

it(
  'S07 mydocker pull and run refuse what cannot fit before they download it, and the store goes on',
  requires(...TEST_BED_NEEDS),
  async () => {
    const disk = await temporaryFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    const home = openCliHome(undefined, disk);
    onTestFinished(() => home.remove());
    const proxy = await startRecordingProxy(testBed().registry);
    onTestFinished(async () => proxy.stop());
    const [large, small] = [`${proxy.host}/library/debian:latest`, `${proxy.host}/library/busybox:latest`];
    expect(await home.mydocker(['pull', '-q', small])).toMatchObject({ code: 0, stderr: '' });
    const before = readdirSync(join(home.store, 'layers'));

    const text =
      `Cannot pull "${large}": it needs about [\\d.]+MB \\([\\d.]+MB to download, at least [\\d.]+MB unpacked\\) and [\\d.]+MB is free on "${home.store}"\n` +
      'Free some space with `mydocker rmi` \\(other images: up to [\\d.]+MB\\), or use another file system with --home or MYDOCKER_HOME\\.\n';
    proxy.requests.length = 0;
    const pulled = await home.mydocker(['pull', '-q', large]);
    expect(pulled).toMatchObject({ code: 1, stdout: '' });
    expect(pulled.stderr).toMatch(new RegExp(`^Error: ${text}$`));
    const ran = await home.mydocker(['run', '-q', large]);
    expect(ran).toMatchObject({ code: 125, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^mydocker: ${text}`));
    expect(proxy.requests.filter(({ url }) => url.includes('/blobs/'))).toHaveLength(1); // the config
    expect(readdirSync(join(home.store, 'layers'))).toEqual(before);
    expect(await home.mydocker(['run', '--rm', small, 'echo', 'hey'])).toMatchObject({ code: 0, stdout: 'hey\n' });
  },
);
