import type { Functions } from './functions.ts';
import type { Operand, Pipeline } from './syntax-tree.ts';
import { TemplateError } from './template-error.ts';
import { isMap, isStruct, isTrue, mapEntry, typeName } from './value.ts';
import type { Value } from './value.ts';

export interface Scope {
  dot: Value;
  /** By name with the dollar sign. Boxed, as an inner scope may assign to a variable of an outer one. */
  variables: ReadonlyMap<string, { value: Value }>;
  functions: Functions;
}

/** @throws {TemplateError} naming the operand that does not fit the data */
export function evaluatePipeline(pipeline: Pipeline, scope: Scope): Value {
  let piped: Value | undefined;
  for (const command of pipeline.commands) piped = evaluateCommand(command, piped, scope);
  return piped ?? null;
}

/** An error in Go's words, placed at the first of `operands`. */
export function executionError(operands: Operand[], message: string): TemplateError {
  const { line, column } = operands[0]?.position ?? { line: 1, column: 0 };
  const source = operands.map((operand) => operand.source).join(' ');
  return new TemplateError(`template: :${line}:${column}: executing "" at <${source}>: ${message}`);
}

function evaluateCommand(command: Operand[], piped: Value | undefined, scope: Scope): Value {
  const [first] = command;
  if (first === undefined) return null;
  if (first.kind === 'function') return callFunction({ command, first, piped }, scope);
  if (first.kind === 'literal' && first.value === null) throw executionError([first], 'nil is not a command');
  if (command.length === 1 && piped === undefined) return evaluateOperand(first, scope);
  const written = command.slice(1).map((operand) => evaluateOperand(operand, scope));
  const values = [...written, ...(piped === undefined ? [] : [piped])];
  if (first.kind === 'field') return walk(scope.dot, first.path, { at: first, values });
  if (first.kind === 'variable') return walk(variable(first.name, scope), first.path, { at: first, values });
  throw executionError([first], `can't give argument to non-function ${first.source}`);
}

function evaluateOperand(operand: Operand, scope: Scope): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'dot':
      return scope.dot;
    case 'field':
      return walk(scope.dot, operand.path, { at: operand, values: [] });
    case 'variable':
      return walk(variable(operand.name, scope), operand.path, { at: operand, values: [] });
    case 'function':
      return callFunction({ command: [operand], first: operand, piped: undefined }, scope);
    case 'pipeline':
      return walk(evaluatePipeline(operand.pipeline, scope), operand.path, { at: operand, values: [] });
  }
}

interface Call {
  /** The function's name and its written arguments. */
  command: Operand[];
  first: Operand & { kind: 'function' };
  piped: Value | undefined;
}

function callFunction({ command, first, piped }: Call, scope: Scope): Value {
  const called = scope.functions.get(first.name);
  if (called === undefined) throw executionError([first], `function "${first.name}" not defined`);
  const [least, most] = called.takes;
  const given = command.length - 1 + (piped === undefined ? 0 : 1);
  if (given < least || given > most) {
    const wanted = least === most ? String(least) : `at least ${least}`;
    throw executionError([first], `wrong number of args for ${first.name}: want ${wanted} got ${given}`);
  }
  const written = evaluateArguments(first.name, command.slice(1), scope);
  try {
    return called.call(...written, ...(piped === undefined ? [] : [piped]));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw executionError(command, `error calling ${first.name}: ${error.message}`);
  }
}

/** `and` and `or` do not look at what comes after the operand that decides. */
function evaluateArguments(name: string, operands: Operand[], scope: Scope): Value[] {
  const values: Value[] = [];
  for (const operand of operands) {
    const value = evaluateOperand(operand, scope);
    values.push(value);
    if ((name === 'and' && !isTrue(value)) || (name === 'or' && isTrue(value))) break;
  }
  return values;
}

function variable(name: string, scope: Scope): Value {
  return scope.variables.get(name)?.value ?? null;
}

interface Walk {
  at: Operand;
  /** The arguments of the last field. */
  values: Value[];
}

function walk(start: Value, path: string[], { at, values }: Walk): Value {
  let value = start;
  let left = path.length;
  for (const name of path) {
    left -= 1;
    value = field(value, name, { at, values: left === 0 ? values : [] });
  }
  return value;
}

function field(owner: Value, name: string, { at, values }: Walk): Value {
  if (isStruct(owner) && Object.hasOwn(owner.fields, name)) {
    const method = owner.fields[name];
    if (method === undefined || method.length !== values.length) {
      throw executionError([at], `wrong number of args for ${name}: want ${method?.length ?? 0} got ${values.length}`);
    }
    return method(...values);
  }
  if (isMap(owner)) {
    if (values.length > 0) throw executionError([at], `${name} is not a method but has arguments`);
    return mapEntry(owner, name) ?? null;
  }
  if (owner === null) throw executionError([at], `nil data; no entry for key "${name}"`);
  throw executionError([at], `can't evaluate field ${name} in type ${typeName(owner)}`);
}
