import type { Position } from './lexer.ts';
import type { Value } from './value.ts';

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline }
  | { kind: 'if' | 'with'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
  | { kind: 'range'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
  | { kind: 'break' | 'continue' };

/** `$x := a | b`: each command gets the result of the one before it as its last argument. */
export interface Pipeline {
  /** Names with their dollar sign; two of them in `range $key, $item := …`. */
  variables: string[];
  /** `=` in place of `:=`: the variables exist already. */
  isAssignment: boolean;
  commands: Operand[][];
}

export type Operand = { position: Position; source: string } & (
  | { kind: 'literal'; value: Value }
  | { kind: 'dot' }
  | { kind: 'variable'; name: string; path: string[] }
  | { kind: 'field'; path: string[] }
  | { kind: 'function'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline; path: string[] }
);
