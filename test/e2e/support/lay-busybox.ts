import { chmodSync, chownSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { execute } from './execute.ts';

/** Lays out a small root file system around the machine's static busybox: every applet, two users, the usual folders. */
export function layBusybox(root: string): void {
  for (const folder of ['bin', 'dev', 'etc', 'home/app', 'proc', 'root', 'sys', 'tmp', 'var']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  chmodSync(join(root, 'root'), 0o700);
  chmodSync(join(root, 'home/app'), 0o750);
  chownSync(join(root, 'home/app'), 1000, 1000);

  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of execute('/bin/busybox', ['--list']).split('\n')) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:App:/home/app:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n');
}
