import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fs/temporary-folder.ts';

/** A folder for the PATH with `docker-credential-<name>` in it, which runs `body` as a shell script. */
export async function helperFolder(name: string, body: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return folder;
}

/** A helper that keeps each login in a file in `$KEYCHAIN`, named after the server, and each call in `calls`. */
const KEEPING = `
name() { tr -c 'a-zA-Z0-9.\\n' _; }
missing() { echo 'credentials not found in native keychain'; exit 1; }
input=$(cat)
echo "$1 $input" >>"$KEYCHAIN/calls"
case $1 in
  store) printf %s "$input" >"$KEYCHAIN/$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' | name)" ;;
  get) cat "$KEYCHAIN/$(printf %s "$input" | name)" 2>/dev/null || missing ;;
  erase) rm "$KEYCHAIN/$(printf %s "$input" | name)" 2>/dev/null || missing ;;
esac`;

export interface Keychain {
  env: Record<string, string>;
  /** What the helper was asked, line by line. */
  calls: () => Promise<string[]>;
}

/** A helper `docker-credential-keep` that keeps what it is told. */
export async function keychain(): Promise<Keychain> {
  const folder = await helperFolder('keep', KEEPING);
  const kept = await temporaryFolder();
  return {
    env: { PATH: `${folder}:/usr/bin:/bin`, KEYCHAIN: kept },
    calls: async () => (await readFile(join(kept, 'calls'), 'utf8')).trimEnd().split('\n'),
  };
}
