import { describe, expect, it } from 'vitest';
import { distributionName, installCommand } from '../../src/linux/distribution.ts';

describe('installCommand()', () => {
  it.each([
    ['ID=debian\n', 'sudo apt-get install uidmap'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'sudo apt-get install uidmap'],
    ['NAME="Fedora Linux"\nID=fedora\n', 'sudo dnf install shadow-utils'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'sudo dnf install shadow-utils'],
    ['ID=alpine\n', 'sudo apk add shadow-uidmap'],
    ["ID='arch'\n", 'sudo pacman -S shadow'],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'sudo zypper install shadow'],
    ['', 'install newuidmap (package uidmap, shadow-utils, shadow-uidmap, shadow)'],
    ['ID=$(reboot)\nID_LIKE=`reboot`\n', 'install newuidmap (package uidmap, shadow-utils, shadow-uidmap, shadow)'],
    ['ID=__proto__\n', 'install newuidmap (package uidmap, shadow-utils, shadow-uidmap, shadow)'],
  ])('for %j is %s', (osRelease, command) => {
    expect(installCommand('newuidmap', osRelease, 1000)).toBe(command);
  });

  it('needs no sudo for root', () => {
    expect(installCommand('pasta', 'ID=debian', 0)).toBe('apt-get install passt');
  });
});

describe('distributionName()', () => {
  it('is for people, else the id', () => {
    expect(distributionName('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')).toBe(
      'Debian GNU/Linux 12 (bookworm)',
    );
    expect(distributionName('ID=alpine')).toBe('alpine');
    expect(distributionName('')).toBeUndefined();
  });
});
