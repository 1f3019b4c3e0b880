/** Programs that come with a package of the distribution. */
export type PackagedProgram = 'newuidmap' | 'pasta' | 'slirp4netns' | 'runc' | 'crun';

/**
 * The command that installs a program on the distribution that /etc/os-release tells of: `sudo apt-get install uidmap`; for one that is
 * not known the names that the package has elsewhere, as a phrase. Nothing of the file's text gets into the answer.
 * @param uid of the caller: root needs no sudo
 */
export function installCommand(program: PackagedProgram, osRelease: string, uid: number): string {
  const installer = findInstaller(osRelease);
  const packages = PACKAGES[program];
  if (installer === undefined)
    return `install ${program} (package ${[...new Set(Object.values(packages))].join(', ')})`;
  return `${uid === 0 ? '' : 'sudo '}${COMMANDS[installer]} ${packages[installer]}`;
}

/** The name of the distribution, for people; it may hold anything. Undefined if the file does not say. */
export function distributionName(osRelease: string): string | undefined {
  return field(osRelease, 'PRETTY_NAME') ?? field(osRelease, 'ID');
}

type Installer = 'apt' | 'dnf' | 'apk' | 'pacman' | 'zypper';

const COMMANDS: Record<Installer, string> = {
  apt: 'apt-get install',
  dnf: 'dnf install',
  apk: 'apk add',
  pacman: 'pacman -S',
  zypper: 'zypper install',
};

const PACKAGES: Record<PackagedProgram, Record<Installer, string>> = {
  newuidmap: { apt: 'uidmap', dnf: 'shadow-utils', apk: 'shadow-uidmap', pacman: 'shadow', zypper: 'shadow' },
  pasta: sameEverywhere('passt'),
  slirp4netns: sameEverywhere('slirp4netns'),
  runc: sameEverywhere('runc'),
  crun: sameEverywhere('crun'),
};

function sameEverywhere(name: string): Record<Installer, string> {
  return { apt: name, dnf: name, apk: name, pacman: name, zypper: name };
}

const INSTALLERS: ReadonlyMap<string, Installer> = new Map([
  ['debian', 'apt'],
  ['ubuntu', 'apt'],
  ['fedora', 'dnf'],
  ['rhel', 'dnf'],
  ['centos', 'dnf'],
  ['amzn', 'dnf'],
  ['alpine', 'apk'],
  ['arch', 'pacman'],
  ['suse', 'zypper'],
  ['opensuse', 'zypper'],
]);

/** By ID, else by the first of ID_LIKE that is known: os-release(5). */
function findInstaller(osRelease: string): Installer | undefined {
  const names = [field(osRelease, 'ID'), ...(field(osRelease, 'ID_LIKE') ?? '').split(/\s+/)];
  return names.map((name) => INSTALLERS.get(name ?? '')).find((installer) => installer !== undefined);
}

function field(osRelease: string, name: string): string | undefined {
  const value = new RegExp(`^${name}=(.*)$`, 'm').exec(osRelease)?.[1]?.trim();
  return value?.replace(/^(["'])(.*)\1$/, '$2');
}
