import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { PLAIN_USER } from '../../support/test-users.ts';
import { CALLERS_WITH_IDS } from '../support/callers.ts';
import type { Ended } from '../support/cli-home.ts';
import { useImageHome, type ImageHome } from '../support/image-home.ts';
import { serveFolder, type ServedFolder } from '../support/serve-folder.ts';
import { testBed, TEST_BED_NEEDS } from '../support/test-bed.ts';

// The mirror on loopback has what Debian signed, and apt checks it with the keys of the image: see debian-archive.ts.
let mirror: ServedFolder;
beforeAll(async () => {
  mirror = await serveFolder(testBed().archive);
});
afterAll(() => mirror.stop());

/** Runs `script` in a Debian whose apt knows the mirror. */
async function shell(home: ImageHome, script: string): Promise<Ended> {
  const [codename] = readdirSync(join(testBed().archive, 'dists'));
  const [sources, settings] = [join(home.folder, 'sources.list'), join(home.folder, 'no-languages')];
  writeFileSync(sources, `deb ${mirror.url} ${codename} main\n`, { mode: 0o644 });
  writeFileSync(settings, 'Acquire::Languages "none";\n', { mode: 0o644 }); // as in docker's image of Debian
  const volumes = [`${sources}:/etc/apt/sources.list:ro`, `${settings}:/etc/apt/apt.conf.d/no-languages:ro`];
  const flags = ['--network', 'host', '-e', 'DEBIAN_FRONTEND=noninteractive'];
  return home.shell(script, ...flags, ...volumes.flatMap((volume) => ['-v', volume]));
}

const NEEDS = requires(...TEST_BED_NEEDS, 'ordinary-users');

describe.each(CALLERS_WITH_IDS)('Debian in a container of $caller', NEEDS, ({ user }) => {
  const home = useImageHome(user, 'library/debian');

  it('installs packages with apt-get, with their groups, capabilities and scripts', async () => {
    const install =
      'apt-get update && apt-get install -y --no-install-recommends iputils-ping libcap2-bin openssh-client hello';
    const script = `(${install}) >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
      hello; getcap /usr/bin/ping; stat -c '%A %G' /usr/bin/ssh-agent; grep -ci warning /tmp/log; dpkg --audit
      dpkg-query -W -f '\${db:Status-Status}\\n' hello openssh-client
      ping -c 1 -q 127.0.0.1 2>&1 | grep -o -e '1 received' -e 'Operation not permitted'`;
    // The network is the host's, on which an ordinary user may not make raw packets, whatever they are in the container.
    const ping = user === undefined ? '1 received' : 'Operation not permitted';
    const installed = await shell(home, script);
    expect(installed).toEqual({
      code: 0,
      stdout: `Hello, world!\n/usr/bin/ping cap_net_raw=ep\n-rwxr-sr-x _ssh\n0\ninstalled\ninstalled\n${ping}\n`,
      stderr: '',
    });
  });

  it('makes packages with dpkg-deb, installs and removes them with dpkg', async () => {
    const script = `mkdir -p /p/DEBIAN /p/opt && touch /opt/kept && echo payload > /p/opt/file && chown 33:44 /p/opt/file
      printf 'Package: mine\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n' > /p/DEBIAN/control
      printf '#!/bin/sh\\necho configured as $(id -u)\\n' > /p/DEBIAN/postinst && chmod 755 /p/DEBIAN/postinst
      dpkg-deb -b /p /mine.deb >/dev/null && dpkg -i /mine.deb | grep configured
      stat -c '%u:%g' /opt/file; dpkg -P mine >/dev/null 2>&1 && ls /opt`;
    expect(await home.shell(script)).toEqual({ code: 0, stdout: 'configured as 0\n33:44\nkept\n', stderr: '' });
  });

  it('adds users and becomes them', async () => {
    const script = `adduser --quiet --disabled-password --gecos '' alice && echo 'alice:secret' | chpasswd
      addgroup --quiet --system crew && adduser --quiet alice crew 2>/dev/null; cd /
      su alice -c 'id -un; id -Gn; touch ~/mine; stat -c %U:%G ~/mine; touch /root/x || echo refused' 2>&1
      setpriv --reuid alice --regid alice --init-groups --inh-caps=-all grep CapEff /proc/self/status`;
    const added = await home.shell(script);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toMatch(
      /^alice\nalice (users )?crew\nalice:alice\ntouch: .*Permission denied\nrefused\nCapEff:\t0{16}\n$/,
    );
  });
});

describe('Debian in a container of a user without subordinate ids', NEEDS, () => {
  const home = useImageHome(PLAIN_USER, 'library/debian');

  it('installs packages whose files are all of root, where apt is told not to become its user _apt', async () => {
    const install = 'apt-get -o APT::Sandbox::User=root update && apt-get -o APT::Sandbox::User=root install -y hello';
    const installed = await shell(home, `(${install}) >/tmp/log 2>&1 || cat /tmp/log; hello`);
    expect(installed).toEqual({ code: 0, stdout: 'Hello, world!\n', stderr: '' });
  });

  it('has no user but root: apt-get as it comes fails, and says at which call', async () => {
    const refused = await shell(home, 'apt-get update');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/E: setgroups|E: setegid|E: seteuid/);
  });
});
