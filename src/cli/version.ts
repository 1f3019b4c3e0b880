import { readFileSync } from 'node:fs';

/** The version of this package: the same file from src/cli, dist/cli and dist/bin. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const isObject = typeof manifest === 'object' && manifest !== null;
  return isObject && 'version' in manifest ? String(manifest.version) : 'unknown';
}
