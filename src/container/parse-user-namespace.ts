import { ToolError } from '../errors.ts';
import type { Ids } from '../linux/ownership.ts';
import { printable } from '../printable.ts';

/** `host`: root of the container is the caller. `keep-id`: the caller is itself, or has the numbers that are given. */
export type UserNamespaceMode = { kind: 'host' } | ({ kind: 'keep-id' } & Partial<Ids>);

/**
 * Reads `--userns`: docker's `host`, and podman's `keep-id[:uid=N,gid=N]`.
 * @throws {ToolError} ERR_USAGE; ERR_UNSUPPORTED for modes that podman has and this engine has not
 */
export function parseUserNamespace(text: string): UserNamespaceMode {
  if (text === '' || text === 'host') return { kind: 'host' };
  const [mode = '', ...rest] = text.split(':');
  if (mode === 'keep-id') return { kind: 'keep-id', ...parseIds(text, rest.join(':')) };
  if (OTHER_MODES.has(mode)) {
    throw new ToolError(
      'ERR_UNSUPPORTED',
      `Cannot use user namespace "${printable(text)}": there is no such mode here`,
      {
        hint:
          'Use "host", where root of the container is the calling user and other users are subordinate ids of that user, ' +
          'or "keep-id", where the calling user keeps its numbers.',
      },
    );
  }
  throw new ToolError('ERR_USAGE', '--userns: invalid USER mode');
}

const OTHER_MODES = new Set(['auto', 'container', 'nomap', 'ns', 'private']); // of podman-run(1)

function parseIds(text: string, options: string): Partial<Ids> {
  const ids: Partial<Ids> = {};
  for (const option of options === '' ? [] : options.split(',')) {
    const [, key, digits] = /^(uid|gid)=(\d{1,10})$/.exec(option) ?? [];
    if (key === undefined || Number(digits) > MAX_ID) {
      throw new ToolError(
        'ERR_USAGE',
        `Cannot use user namespace "${printable(text)}": unknown option specified: "${printable(option)}", and uid=N or gid=N was wanted`,
      );
    }
    ids[key as keyof Ids] = Number(digits);
  }
  return ids;
}

const MAX_ID = 2 ** 31 - 1; // as for --user
