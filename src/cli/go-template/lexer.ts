import { TemplateError } from './template-error.ts';

export type TokenKind = 'word' | 'field' | 'variable' | 'string' | 'number' | 'space' | 'symbol' | 'end';

export interface Token {
  kind: TokenKind;
  /** As written; a field with its dot, a variable with its dollar sign. */
  text: string;
  position: Position;
}

/** Both from where Go counts: lines from 1, columns, in bytes, from 0. */
export interface Position {
  line: number;
  column: number;
}

/** A run of plain text, or the tokens of one action without its delimiters. */
export type Piece = { kind: 'text'; text: string } | { kind: 'action'; tokens: Token[]; position: Position };

/**
 * Splits a template into text and actions. `{{-` and `-}}` trim the text beside them, `{{/* … *\/}}` disappears.
 * Source: https://github.com/golang/go/blob/go1.24.3/src/text/template/parse/lex.go.
 * @throws {TemplateError} an action, comment or string without an end; a character that starts no token
 */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const text = source.slice(at, open < 0 ? undefined : open);
    const trimBefore = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    pieces.push({ kind: 'text', text: trimmed(text, trimNext, trimBefore) });
    if (open < 0) break;
    const start = open + (trimBefore ? 3 : 2);
    const action = readAction(source, start);
    if (action.tokens !== undefined) {
      pieces.push({ kind: 'action', tokens: action.tokens, position: positionOf(source, start) });
    }
    at = action.next;
    trimNext = action.trimAfter;
  }
  return pieces.filter((piece) => piece.kind === 'action' || piece.text !== '');
}

interface Action {
  /** `undefined` for a comment. */
  tokens: Token[] | undefined;
  /** Index behind the closing delimiter. */
  next: number;
  trimAfter: boolean;
}

const COMMENT = /\s*\/\*/y;
const CLOSE = /(\s-)?\}\}/y;

// Order matters: the first that matches wins. Names are of ASCII letters, as all fields here are.
const TOKENS: ReadonlyArray<readonly [TokenKind, RegExp]> = [
  ['space', /\s/y], // one at a time, as the last one may belong to ` -}}`
  ['string', /"(?:[^"\\\n]|\\.)*"/y],
  ['string', /`[^`]*`/y],
  ['number', /'(?:[^'\\\n]|\\.)'/uy],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y],
  ['field', /\.[A-Za-z_]\w*/y],
  ['variable', /\$\w*/y],
  ['word', /[A-Za-z_]\w*/y],
  ['symbol', /:=|[.=|(),]/y],
];

function readAction(source: string, start: number): Action {
  const comment = matchAt(COMMENT, source, start);
  if (comment !== undefined) return readComment(source, start + comment.length);
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const close = matchAt(CLOSE, source, at);
    if (close !== undefined) {
      tokens.push({ kind: 'end', text: '}}', position: positionOf(source, at) });
      return { tokens, next: at + close.length, trimAfter: close.length > 2 };
    }
    const token = readToken(source, at);
    tokens.push(token);
    at += token.text.length;
  }
}

function readComment(source: string, start: number): Action {
  const end = source.indexOf('*/', start);
  if (end < 0) throw syntaxError(source, start, 'unclosed comment');
  const close = matchAt(CLOSE, source, end + 2);
  if (close === undefined) throw syntaxError(source, end, 'comment ends before closing delimiter');
  return { tokens: undefined, next: end + 2 + close.length, trimAfter: close.length > 2 };
}

function readToken(source: string, at: number): Token {
  for (const [kind, pattern] of TOKENS) {
    const text = matchAt(pattern, source, at);
    if (text !== undefined) return { kind, text, position: positionOf(source, at) };
  }
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (at >= source.length) throw syntaxError(source, at, 'unclosed action');
  if (character === '"') throw syntaxError(source, at, 'unterminated quoted string');
  if (character === '`') throw syntaxError(source, at, 'unterminated raw quoted string');
  throw syntaxError(source, at, `unexpected ${JSON.stringify(character)} in action`);
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function trimmed(text: string, start: boolean, end: boolean): string {
  const from = start ? text.replace(/^[ \t\r\n]+/, '') : text;
  return end ? from.replace(/[ \t\r\n]+$/, '') : from;
}

function positionOf(source: string, at: number): Position {
  const before = source.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Buffer.byteLength(before.slice(lineStart)) };
}

function syntaxError(source: string, at: number, message: string): TemplateError {
  return new TemplateError(`template: :${positionOf(source, at).line}: ${message}`);
}
