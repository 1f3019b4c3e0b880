import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/** Looks a variable of the caller's environment up. */
export type LookUp = (key: string) => string | undefined;

/**
 * Reads one `--env` word: `KEY=value` as it is; `KEY` takes the caller's value, or removes the variable if the caller has none.
 * @returns an entry for `containerEnvironment`
 * @throws {ToolError} ERR_USAGE
 */
export function parseEnvironmentEntry(text: string, lookUp: LookUp): string {
  if (text === '' || text.startsWith('=') || text.includes('\0')) {
    throw new ToolError(
      'ERR_USAGE',
      `Cannot set "${printable(text)}": invalid environment variable, and KEY=value was wanted`,
    );
  }
  if (text.includes('=')) return text;
  const value = lookUp(text);
  return value === undefined ? text : `${text}=${value}`;
}

/**
 * Reads the content of an `--env-file` by docker's rules: a variable per line, its value to the end of the line with quotes
 * and trailing spaces kept; `KEY` alone takes the caller's value or is left out; lines that start with `#` are comments.
 * @returns entries for `containerEnvironment`
 * @throws {ToolError} ERR_USAGE, naming `path` and the line
 */
export function parseEnvironmentFile(content: Uint8Array, path: string, lookUp: LookUp): string[] {
  const entries: string[] = [];
  for (const [index, line] of decodeLines(content, path).entries()) {
    const text = line.trimStart();
    if (text === '' || text.startsWith('#')) continue;
    const equals = text.indexOf('=');
    const key = equals === -1 ? text : text.slice(0, equals);
    if (key === '') throw malformed(path, index, `no variable name on line "${printable(text)}"`);
    if (/\s/.test(key)) throw malformed(path, index, `variable "${printable(key)}" contains whitespaces`);
    if (text.includes('\0')) throw malformed(path, index, `variable "${printable(key)}" contains a NUL`);
    const value = equals === -1 ? lookUp(key) : text.slice(equals + 1);
    if (value !== undefined) entries.push(`${key}=${value}`);
  }
  return entries;
}

function decodeLines(content: Uint8Array, path: string): string[] {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content); // drops a BOM, as docker does
  } catch {
    throw new ToolError('ERR_USAGE', `Cannot read "${printable(path)}": it holds invalid UTF-8 bytes`);
  }
  return text.split(/\r?\n/);
}

function malformed(path: string, index: number, reason: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot read "${printable(path)}": line ${index + 1}: ${reason}`);
}
