import { cpSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';

import { execute } from './execute.ts';

/**
 * Installs the built package into `folder` as npm would, without a registry: what `npm pack` takes, beside its dependencies.
 * Answers with the path of the CLI. Every user can read it, wherever the checkout is.
 */
export function installPackage(root: string, folder: string): string {
  const tarball = execute('npm', ['pack', '--silent', '--ignore-scripts', `--pack-destination=${folder}`], {
    cwd: root,
  }).trim();
  const target = join(folder, 'node_modules/mydocker');
  mkdirSync(target, { recursive: true });
  execute('tar', ['--extract', `--file=${join(folder, tarball)}`, `--directory=${target}`, '--strip-components=1']);

  const listed = execute('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root }).trim().split('\n');
  for (const dependency of listed.slice(1)) {
    cpSync(dependency, join(folder, relative(root, dependency)), { recursive: true });
  }
  execute('chmod', ['-R', 'a+rX', folder]);
  return join(target, 'dist/bin/mydocker.cjs');
}
