import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

describe.each(CALLERS)('files of a container of $caller', requires(...TEST_BED_NEEDS, 'ordinary-users'), ({ user }) => {
  const home = useImageHome(user);

  function folderOfHost(name: string): string {
    const folder = join(home.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'in'), 'of the host\n');
    chownSync(folder, home.uid, home.gid);
    return folder;
  }

  it('--volume shows a folder of the host, to be written to unless it is :ro', async () => {
    const folder = folderOfHost('shared');
    const flags = ['--volume', `${folder}:/a`, '-v', `${folder}:/made/for/it:ro`];
    const used = await home.shell(
      'cat /a/in; echo out > /a/out; echo no > /made/for/it/out; stat -c %u /a/out',
      ...flags,
    );
    expect(used.stdout).toBe('of the host\n0\n');
    expect(used.stderr).toMatch(/Read-only file system/);
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('out\n');
  });

  it('--volume shows a single file, and says so where it does not fit', async () => {
    const file = join(folderOfHost('single'), 'in');
    const used = await home.shell('cat /etc/config; wc -l < /etc/passwd', '-v', `${file}:/etc/config:ro`);
    expect(used).toMatchObject({ code: 0, stdout: 'of the host\n2\n' });
    const unfit = await home.shell('true', '-v', `${file}:/tmp`);
    expect(unfit.code).toBe(127);
    expect(unfit.stderr).toMatch(/Are you trying to mount a directory onto a file \(or vice-versa\)\?/);
    expect(await home.shell('true', '-v', 'relative:/a')).toMatchObject({ code: 125 });
  });

  it('--tmpfs is an empty folder in memory, with its options', async () => {
    const script = 'echo x > /scratch/x && grep " /scratch " /proc/mounts; stat -c %a /scratch; ls /etc/new';
    const used = await home.shell(script, '--tmpfs', '/scratch:size=1m,mode=700,noexec', '--tmpfs=/etc/new');
    expect(used).toMatchObject({ code: 0, stderr: '' });
    expect(used.stdout).toMatch(/^tmpfs \/scratch tmpfs rw,nosuid,nodev,noexec,.*size=1024k,mode=700.*\n700\n$/);
    const full = await home.shell('dd if=/dev/zero of=/scratch/big bs=1M count=2', '--tmpfs', '/scratch:size=1m');
    expect(full.stderr).toMatch(/No space left on device/);
  });

  it('--read-only makes the root unwritable, not what is mounted', async () => {
    const folder = folderOfHost('writable');
    const script = 'touch /x /tmp/x /etc/hosts; touch /scratch/x /dev/shm/x /v/x && echo mounted';
    const used = await home.shell(script, '--read-only', '--tmpfs', '/scratch', '-v', `${folder}:/v`);
    expect(used.stdout).toBe('mounted\n');
    expect(used.stderr.match(/Read-only file system/g)?.length).toBeGreaterThanOrEqual(2);
    expect(await home.shell('touch /x', '--read-only=false')).toMatchObject({ code: 0, stderr: '' });
  });

  it('--shm-size is the size of /dev/shm, 64 MiB unless given', async () => {
    const size = "df -k /dev/shm | awk 'NR == 2 { print $2 }'";
    expect((await home.shell(size, '--shm-size', '16m')).stdout).toBe('16384\n');
    expect((await home.shell(size)).stdout).toBe('65536\n');
    expect(await home.shell('true', '--shm-size', 'much')).toMatchObject({ code: 125 });
  });

  it('--device shows a device of the host', async () => {
    const used = await home.shell(
      'head -c 3 /dev/nothing | wc -c; test -c /dev/full',
      '--device',
      '/dev/zero:/dev/nothing',
    );
    expect(used).toMatchObject({ code: 0, stdout: '3\n' });
    const missing = await home.shell('true', '--device', '/dev/no-such');
    expect(missing.code).toBe(125);
    expect(missing.stderr).toMatch(/\/dev\/no-such/);
  });
});
