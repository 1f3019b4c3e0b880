import { goQuote } from '../go-quote.ts';
import { formatSignificant } from '../../human-size.ts';
import { printValue } from './print-value.ts';
import { TemplateError } from './template-error.ts';
import { typeName } from './value.ts';
import type { Value } from './value.ts';

/**
 * Go's `printf` for the verbs v, s, q, d, x, X, t, f, e and g, with `-`, `+`, `0`, a width and a precision.
 * @throws {TemplateError} for any other verb or flag
 */
export function formatPrintf(format: Value, values: Value[]): string {
  if (typeof format !== 'string') {
    throw new TemplateError(`wrong type for value; expected string; got ${typeName(format)}`);
  }
  let used = 0;
  const text = format.replace(
    /%([-+0 #]*)(\d*|\*)(?:\.(\d*))?(.?)/gsu,
    (directive, flags: string, ...groups: string[]) => {
      const [width = '', precision, verb = ''] = groups;
      if (verb === '%') return '%';
      if (verb === '') return '%!(NOVERB)';
      if (!VERBS.includes(verb) || width === '*' || /[ #]/.test(flags)) {
        throw new TemplateError(`printf: ${JSON.stringify(directive)} is not supported`);
      }
      const value = values[used];
      used += 1;
      if (value === undefined) return `%!${verb}(MISSING)`;
      const digits = precision === undefined ? undefined : Number(precision);
      const body = formatOne(verb, value, digits) ?? `%!${verb}(${typeName(value)}=${printValue(value)})`;
      return pad(flags.includes('+') && Number(value) >= 0 ? `+${body}` : body, flags, Number(width));
    },
  );
  const extra = values.slice(used).map((value) => `${typeName(value)}=${printValue(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

const VERBS = 'vsqdxXtfeg';
const MAX_WIDTH = 10_000; // columns

/** `undefined` where the verb does not fit the value. */
function formatOne(verb: string, value: Value, precision: number | undefined): string | undefined {
  if (verb === 'v') return printValue(value);
  if (verb === 't') return typeof value === 'boolean' ? String(value) : undefined;
  if (typeof value === 'number') return formatNumber(verb, value, precision);
  if (verb === 's' || verb === 'q') return formatText(verb, value, precision);
  if (verb.toLowerCase() !== 'x' || typeof value !== 'string') return undefined;
  const hex = Buffer.from(value).toString('hex');
  return verb === 'X' ? hex.toUpperCase() : hex;
}

function formatText(verb: string, value: Value, precision: number | undefined): string | undefined {
  if (typeof value === 'boolean') return undefined;
  const text = Array.from(printValue(value)).slice(0, precision).join('');
  return verb === 'q' ? goQuote(text) : text;
}

function formatNumber(verb: string, value: number, precision: number | undefined): string | undefined {
  if (verb === 'd') return Number.isInteger(value) ? String(value) : undefined;
  if (verb === 'x') return value.toString(16);
  if (verb === 'X') return value.toString(16).toUpperCase();
  if (verb === 'f') return value.toFixed(precision ?? 6);
  if (verb === 'e') return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
  if (verb === 'g')
    return precision === undefined ? printValue(value) : formatSignificant(value, Math.max(1, precision));
  return undefined;
}

function pad(text: string, flags: string, width: number): string {
  const columns = Math.min(width, MAX_WIDTH);
  if (flags.includes('-')) return text.padEnd(columns);
  if (!flags.includes('0') || !/^[+-]?\d/.test(text)) return text.padStart(columns);
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(columns - sign.length, '0');
}
