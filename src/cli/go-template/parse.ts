import { splitTemplate } from './lexer.ts';
import type { Piece, Position, Token } from './lexer.ts';
import { parsePipeline } from './parse-pipeline.ts';
import type { Node, Pipeline } from './syntax-tree.ts';
import { TemplateError } from './template-error.ts';

/**
 * Parses a Go template: text, pipelines, variables, if, with, range, break and continue.
 * Named templates (`define`, `block`, `template`) are refused by name.
 * `isFunction` says which words may be called. Source: https://pkg.go.dev/text/template.
 * @throws {TemplateError} with the line
 */
export function parseTemplate(source: string, isFunction: (name: string) => boolean): Node[] {
  const reader: Reader = { pieces: splitTemplate(source), at: 0, loops: 0, isFunction };
  const { body, end } = readBody(reader, [new Set()]);
  if (end !== undefined) throw syntaxError(end.position, `unexpected {{${end.word}}}`);
  return body;
}

interface Reader {
  pieces: Piece[];
  at: number;
  /** How many `range` are open. */
  loops: number;
  isFunction: (name: string) => boolean;
}

/** Names of variables, innermost scope last. */
type Scopes = Array<Set<string>>;

/** What closes a body: `end`, or `else` with what follows it. */
interface End {
  word: 'end' | 'else';
  rest: Token[];
  position: Position;
}

interface Body {
  body: Node[];
  end: End | undefined;
}

const UNSUPPORTED = ['define', 'block', 'template'];

function readBody(reader: Reader, scopes: Scopes): Body {
  const body: Node[] = [];
  for (;;) {
    const piece = reader.pieces[reader.at];
    if (piece === undefined) return { body, end: undefined };
    reader.at += 1;
    if (piece.kind === 'text') {
      body.push(piece);
      continue;
    }
    const tokens = withoutLeadingSpace(piece.tokens);
    const word = tokens[0]?.kind === 'word' ? tokens[0].text : '';
    if (word === 'end' || word === 'else')
      return { body, end: { word, rest: tokens.slice(1), position: piece.position } };
    body.push(readNode(reader, scopes, { word, tokens, position: piece.position }));
  }
}

interface Statement {
  /** The first word, '' where the action starts with something else. */
  word: string;
  tokens: Token[];
  position: Position;
}

function readNode(reader: Reader, scopes: Scopes, { word, tokens, position }: Statement): Node {
  if (word === 'if' || word === 'with' || word === 'range')
    return readBlock(reader, scopes, { word, tokens, position });
  if (UNSUPPORTED.includes(word)) throw syntaxError(position, `{{${word}}} is not supported`);
  if (word === 'break' || word === 'continue') {
    if (reader.loops === 0) throw syntaxError(position, `{{${word}}} outside {{range}}`);
    return { kind: word };
  }
  return { kind: 'print', pipeline: readPipeline(reader, scopes, { tokens, position, word: 'command' }) };
}

/** `if`, `with` or `range` up to its `end`; `else if` nests a second one in the else branch and shares the `end`. */
function readBlock(reader: Reader, scopes: Scopes, statement: Statement): Node {
  const kind = statement.word as 'if' | 'with' | 'range';
  const inner: Scopes = [...scopes, new Set()];
  const pipeline = readPipeline(reader, inner, { ...statement, tokens: statement.tokens.slice(1) });
  reader.loops += kind === 'range' ? 1 : 0;
  const { body, end } = readBody(reader, inner);
  reader.loops -= kind === 'range' ? 1 : 0;
  if (end === undefined) throw syntaxError(statement.position, 'unexpected EOF');
  return { kind, pipeline, body, otherwise: end.word === 'end' ? [] : readElse(reader, inner, { kind, end }) };
}

function readElse(reader: Reader, scopes: Scopes, { kind, end }: { kind: string; end: End }): Node[] {
  const rest = withoutLeadingSpace(end.rest);
  const first = rest[0];
  if (first?.kind === 'word' && first.text === kind && kind !== 'range') {
    return [readBlock(reader, scopes, { word: kind, tokens: rest, position: end.position })];
  }
  if (first?.kind !== 'end') throw syntaxError(end.position, `unexpected "${first?.text ?? ''}" in else`);
  const { body, end: last } = readBody(reader, [...scopes, new Set()]);
  if (last === undefined) throw syntaxError(end.position, 'unexpected EOF');
  if (last.word === 'else') throw syntaxError(last.position, 'expected end; found {{else}}');
  return body;
}

function readPipeline(reader: Reader, scopes: Scopes, statement: Statement): Pipeline {
  const { tokens, word, position } = statement;
  const known = (name: string): boolean => name === '$' || scopes.some((scope) => scope.has(name));
  const pipeline = parsePipeline(tokens, { context: word, position, isFunction: reader.isFunction, isVariable: known });
  if (!pipeline.isAssignment) for (const name of pipeline.variables) scopes.at(-1)?.add(name);
  if (pipeline.variables.length > 1 && word !== 'range')
    throw syntaxError(position, `too many declarations in ${word}`);
  return pipeline;
}

function withoutLeadingSpace(tokens: Token[]): Token[] {
  const first = tokens.findIndex((token) => token.kind !== 'space');
  return tokens.slice(first);
}

function syntaxError(position: Position, message: string): TemplateError {
  return new TemplateError(`template: :${position.line}: ${message}`);
}
