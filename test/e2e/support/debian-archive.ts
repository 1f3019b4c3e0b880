import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { execute } from './execute.ts';

/** Where apt of this machine finds its own release. */
export interface DebianMirror {
  /** With a slash at its end. */
  uri: string;
  codename: string;
}

/** The mirror that this machine's apt uses for its own release. */
export function debianMirror(): DebianMirror {
  const targets = execute('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(CODENAME) $(COMPONENT)',
    'Created-By: Packages',
  ]);
  const own = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const found = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, name, component]) => name === own && component === 'main');
  if (found?.[0] === undefined || own === undefined) throw new Error(`apt knows no mirror for "${own}":\n${targets}`);
  return { uri: found[0], codename: own };
}

/**
 * Saves in `folder` what a mirror answers where apt updates and installs some packages: the archive's own signed Release file, the list
 * of its packages, and the packages in `packages`, which is what `apt-get install --print-uris` printed. Served on loopback it is a
 * mirror that nothing outside can break, and apt checks every signature and digest as ever.
 */
export function saveArchive(folder: string, { uri, codename, packages }: DebianMirror & { packages: string }): void {
  const architecture = execute('dpkg', ['--print-architecture']).trim();
  const list = `dists/${codename}/main/binary-${architecture}/Packages.xz`;
  const files = [...packages.matchAll(/^'([^']+)'/gm)].map(([, file = '']) => file.slice(uri.length));
  for (const path of [`dists/${codename}/InRelease`, list, ...files]) {
    const target = join(folder, decodeURIComponent(path));
    mkdirSync(dirname(target), { recursive: true });
    // With the proxies and certificates that apt is configured for.
    execute('/usr/lib/apt/apt-helper', ['-oAPT::Sandbox::User=root', 'download-file', uri + path, target]);
  }
  const byHash = join(folder, dirname(list), 'by-hash/SHA256');
  mkdirSync(byHash, { recursive: true });
  const digest = createHash('sha256')
    .update(readFileSync(join(folder, list)))
    .digest('hex');
  linkSync(join(folder, list), join(byHash, digest));
}
