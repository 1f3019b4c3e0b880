import type { Position, Token } from './lexer.ts';
import type { Operand, Pipeline } from './syntax-tree.ts';
import { TemplateError } from './template-error.ts';
import type { Value } from './value.ts';

export interface PipelineContext {
  /** What the pipeline belongs to, for messages: `if`, `range`, `command`. */
  context: string;
  position: Position;
  isFunction: (name: string) => boolean;
  isVariable: (name: string) => boolean;
}

/**
 * Parses what stands between the delimiters, or behind `if`, `with` and `range`. The last token is of kind `end`.
 * @throws {TemplateError} with the line
 */
export function parsePipeline(tokens: Token[], context: PipelineContext): Pipeline {
  const reader: Reader = { tokens, at: 0, context };
  const pipeline = readPipeline(reader);
  const last = peek(reader);
  if (last.kind !== 'end') throw unexpected(last, context.context);
  return pipeline;
}

interface Reader {
  tokens: Token[];
  at: number;
  context: PipelineContext;
}

function readPipeline(reader: Reader): Pipeline {
  const { variables, isAssignment } = readDeclaration(reader);
  const commands: Operand[][] = [readCommand(reader)];
  while (peek(reader).text === '|') {
    reader.at += 1;
    const command = readCommand(reader);
    if (command[0] !== undefined && !isCallable(command[0])) {
      throw failure(command[0].position, `non executable command in pipeline stage ${commands.length + 1}`);
    }
    commands.push(command);
  }
  return { variables, isAssignment, commands };
}

/** `$x :=`, `$x =` or, in a range, `$i, $x :=`; nothing is consumed where there is none. */
function readDeclaration(reader: Reader): { variables: string[]; isAssignment: boolean } {
  const start = reader.at;
  const variables: string[] = [];
  for (;;) {
    const token = next(reader);
    if (token.kind !== 'variable') break;
    variables.push(token.text);
    const operator = next(reader);
    if (operator.text === ',') continue;
    if (operator.text !== ':=' && operator.text !== '=') break;
    const unknown = variables.find((name) => operator.text === '=' && !reader.context.isVariable(name));
    if (unknown !== undefined) throw failure(token.position, `undefined variable "${unknown}"`);
    return { variables, isAssignment: operator.text === '=' };
  }
  reader.at = start;
  return { variables: [], isAssignment: false };
}

function readCommand(reader: Reader): Operand[] {
  const operands: Operand[] = [];
  for (;;) {
    skipSpace(reader);
    const token = peek(reader);
    if (token.kind === 'end' || token.text === '|' || token.text === ')') break;
    operands.push(readOperand(reader));
    const after = peek(reader);
    if (!['space', 'end'].includes(after.kind) && after.text !== '|' && after.text !== ')') {
      throw unexpected(after, 'operand');
    }
  }
  if (operands.length === 0) throw failure(reader.context.position, `missing value for ${reader.context.context}`);
  return operands;
}

function readOperand(reader: Reader): Operand {
  const token = next(reader);
  const at = { position: token.position, source: token.text };
  if (token.text === '(') return readParenthesis(reader, token);
  if (token.kind === 'field') {
    const path = [token.text.slice(1), ...readPath(reader)];
    return { ...at, kind: 'field', path, source: `.${path.join('.')}` };
  }
  if (token.kind === 'variable') {
    if (!reader.context.isVariable(token.text)) throw failure(token.position, `undefined variable "${token.text}"`);
    const path = readPath(reader);
    return { ...at, kind: 'variable', name: token.text, path, source: [token.text, ...path].join('.') };
  }
  if (token.text === '.') return { ...at, kind: 'dot' };
  if (token.kind === 'word' && !WORDS.has(token.text)) {
    if (UNSUPPORTED.has(token.text)) throw failure(token.position, `function "${token.text}" is not supported`);
    if (!reader.context.isFunction(token.text)) throw failure(token.position, `function "${token.text}" not defined`);
    return { ...at, kind: 'function', name: token.text };
  }
  const value = literalValue(token);
  if (value === undefined) throw unexpected(token, 'operand');
  return { ...at, kind: 'literal', value };
}

function readParenthesis(reader: Reader, open: Token): Operand {
  const pipeline = readPipeline(reader);
  const close = next(reader);
  if (close.text !== ')') throw failure(open.position, 'unclosed left paren');
  return { kind: 'pipeline', pipeline, path: readPath(reader), position: open.position, source: '(…)' };
}

/** The fields that follow without a space: `.Config.Env`. */
function readPath(reader: Reader): string[] {
  const path: string[] = [];
  while (peek(reader).kind === 'field') {
    path.push(peek(reader).text.slice(1));
    reader.at += 1;
  }
  return path;
}

/** What Go has, and a list of images has no use for. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['call', 'html', 'js', 'urlquery']);

const WORDS = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

function literalValue(token: Token): Value | undefined {
  if (token.kind === 'word') return WORDS.get(token.text);
  if (token.kind === 'string') return token.text.startsWith('`') ? token.text.slice(1, -1) : unquote(token);
  if (token.kind !== 'number') return undefined;
  if (token.text.startsWith("'")) return unquote(token).codePointAt(0);
  const number = Number(token.text.replaceAll('_', ''));
  if (Number.isNaN(number)) throw failure(token.position, `bad number syntax: "${token.text}"`);
  return number;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** A Go string literal in double quotes. Bytes (`\x41`, `\101`) above 7 bits would need a string of bytes and are refused. */
function unquote(token: Token): string {
  return token.text
    .slice(1, -1)
    .replace(
      /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-7][0-9a-fA-F])|([01][0-7]{2})|(.))/gsu,
      (_, ...groups: string[]) => {
        const [short, long, hex, octal, letter = ''] = groups;
        const digits = short ?? long ?? hex;
        const code = digits === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(digits, 16);
        if (code <= 0x10ffff) return String.fromCodePoint(code);
        const escape = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
        if (escape === undefined) throw failure(token.position, `invalid syntax: ${token.text}`);
        return escape;
      },
    );
}

function isCallable(operand: Operand): boolean {
  return (
    operand.kind === 'function' || operand.kind === 'field' || (operand.kind === 'variable' && operand.path.length > 0)
  );
}

function next(reader: Reader): Token {
  skipSpace(reader);
  const token = peek(reader);
  if (token.kind !== 'end') reader.at += 1;
  return token;
}

function skipSpace(reader: Reader): void {
  while (peek(reader).kind === 'space') reader.at += 1;
}

function peek(reader: Reader): Token {
  return reader.tokens[reader.at] ?? { kind: 'end', text: '}}', position: reader.context.position };
}

function unexpected(token: Token, where: string): TemplateError {
  return failure(
    token.position,
    token.kind === 'end' ? `unexpected end of ${where}` : `unexpected "${token.text}" in ${where}`,
  );
}

function failure(position: Position, message: string): TemplateError {
  return new TemplateError(`template: :${position.line}: ${message}`);
}
