import { ToolError } from '../../errors.ts';
import { printable } from '../../printable.ts';

/** ctrl-p, ctrl-q */
export const DEFAULT_DETACH_KEYS: Uint8Array = Uint8Array.of(16, 17);

const CONTROL_KEYS = '@abcdefghijklmnopqrstuvwxyz[\\]^_'; // by their codes, from 0
const DEL = 127;

/**
 * The bytes of a key sequence in docker's words: `ctrl-p,ctrl-q`, `a`, `DEL`.
 * https://github.com/moby/term/blob/v0.5.2/ascii.go
 * @throws {ToolError} ERR_USAGE, with docker's text
 */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(','), (key) => {
    const code = codeOf(key);
    if (code !== undefined) return code;
    throw new ToolError(
      'ERR_USAGE',
      `invalid detach keys (${printable(text)}): unknown character: '${printable(key)}'`,
      { hint: 'Single characters, ctrl-<character> and DEL, with commas between them.' },
    );
  });
}

function codeOf(key: string): number | undefined {
  if (key.length === 1 && key <= '\x7f') return key.charCodeAt(0);
  if (key === 'DEL') return DEL;
  const [, control] = /^ctrl-([^A-Z])$/.exec(key) ?? [];
  const code = control === undefined ? -1 : CONTROL_KEYS.indexOf(control);
  return code === -1 ? undefined : code;
}
