import { evaluatePipeline, executionError } from './evaluate.ts';
import type { Scope } from './evaluate.ts';
import type { Functions } from './functions.ts';
import { printValue, sortedKeys } from './print-value.ts';
import type { Node, Pipeline } from './syntax-tree.ts';
import { isList, isMap, isTrue } from './value.ts';
import type { Value } from './value.ts';

/**
 * The text that a parsed template makes of `data`.
 * @throws {TemplateError} where the template does not fit the data
 */
export function executeTemplate(nodes: Node[], data: Value, functions: Functions): string {
  const output: string[] = [];
  const scope: Scope = { dot: data, variables: new Map([['$', { value: data }]]), functions };
  executeNodes(nodes, scope, output);
  return output.join('');
}

/** What a loop does after its body; `next` outside of loops. */
type Flow = 'next' | 'break' | 'continue';

function executeNodes(nodes: Node[], scope: Scope, output: string[]): Flow {
  for (const node of nodes) {
    const flow = executeNode(node, scope, output);
    if (flow !== 'next') return flow;
  }
  return 'next';
}

function executeNode(node: Node, scope: Scope, output: string[]): Flow {
  switch (node.kind) {
    case 'text':
      output.push(node.text);
      return 'next';
    case 'print': {
      const value = evaluatePipeline(node.pipeline, scope);
      declare(node.pipeline, [value], scope);
      if (node.pipeline.variables.length === 0) output.push(value === null ? '<no value>' : printValue(value));
      return 'next';
    }
    case 'if':
    case 'with':
      return executeBranch(node, scope, output);
    case 'range':
      return executeRange(node, scope, output);
    case 'break':
    case 'continue':
      return node.kind;
  }
}

function executeBranch(node: Node & { kind: 'if' | 'with' }, scope: Scope, output: string[]): Flow {
  const inner = innerScope(scope, scope.dot);
  const value = evaluatePipeline(node.pipeline, inner);
  declare(node.pipeline, [value], inner);
  if (!isTrue(value)) return executeNodes(node.otherwise, inner, output);
  return executeNodes(node.body, innerScope(inner, node.kind === 'with' ? value : scope.dot), output);
}

function executeRange(node: Node & { kind: 'range' }, scope: Scope, output: string[]): Flow {
  const entries = rangeEntries(evaluatePipeline(node.pipeline, scope), node.pipeline);
  if (entries.length === 0) return executeNodes(node.otherwise, innerScope(scope, scope.dot), output);
  for (const [key, item] of entries) {
    const inner = innerScope(scope, item);
    declare(node.pipeline, node.pipeline.variables.length === 2 ? [key, item] : [item], inner);
    if (executeNodes(node.body, inner, output) === 'break') break;
  }
  return 'next';
}

function rangeEntries(value: Value, pipeline: Pipeline): Array<[Value, Value]> {
  if (value === null) return [];
  if (isList(value)) return value.map((item, index) => [index, item]);
  if (isMap(value)) return sortedKeys(value).map((key) => [key, value[key] ?? null]);
  if (typeof value === 'number' && Number.isInteger(value)) {
    return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index]);
  }
  throw executionError(pipeline.commands[0] ?? [], `range can't iterate over ${printValue(value)}`);
}

function declare(pipeline: Pipeline, values: Value[], scope: Scope): void {
  if (pipeline.variables.length === 0) return;
  for (const [index, name] of pipeline.variables.entries()) {
    const value = values[index] ?? null;
    const existing = pipeline.isAssignment ? scope.variables.get(name) : undefined;
    if (existing !== undefined) existing.value = value;
    else scope.variables = new Map([...scope.variables, [name, { value }]]); // its own: the scopes around it share theirs
  }
}

function innerScope(scope: Scope, dot: Value): Scope {
  return { ...scope, dot };
}
