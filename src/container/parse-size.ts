import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

const UNITS: ReadonlyMap<string, number> = new Map(
  ['', 'k', 'm', 'g', 't', 'p'].map((unit, power) => [unit, 1024 ** power]),
);

/**
 * Reads a size as docker does: `64m`, `1.5g`, `65536`, `64MiB`; all units are powers of 1024. Answers in bytes.
 * @throws {ToolError} ERR_USAGE; `flag` names what it was given for
 */
export function parseSize(text: string, flag: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = UNITS.get(unit.toLowerCase()) ?? 0;
  const bytes = Math.floor(Number(number) * factor);
  if (number !== '' && Number.isSafeInteger(bytes)) return bytes;
  throw new ToolError(
    'ERR_USAGE',
    `invalid argument "${printable(text)}" for "--${flag}" flag: invalid size: '${printable(text)}'`,
  );
}
