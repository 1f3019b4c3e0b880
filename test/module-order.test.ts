import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

// Each row may import the rows above it and itself; the modules of one row may not import each other.
const ORDER = [
  ['errors', 'printable', 'human-size'],
  ['oci'],
  ['linux'],
  ['fs'],
  ['registry', 'store', 'layer', 'snapshot'],
  ['image'],
  ['container'],
  ['cli', 'index'],
];

// Package -> the only module that imports it.
const ONLY_IMPORTER: Record<string, string> = {
  commander: 'cli',
  fzstd: 'layer',
  koffi: 'linux',
  'proper-lockfile': 'fs',
  'smol-toml': 'registry',
  ssri: 'store',
  'tar-stream': 'layer',
  undici: 'registry',
};

// Module -> the parts of Node that it may use. oci/ is pure.
const ALLOWED_BUILTINS: Record<string, string[]> = {
  errors: [],
  printable: [],
  'human-size': [],
  oci: ['node:buffer', 'node:crypto'],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

const imports = files.flatMap(({ name, text }) =>
  ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({ from: name, to: fileName })),
);

describe('src/', () => {
  it('has only modules that the order knows', () => {
    const unknown = files.filter(({ name }) => rankOf(moduleOf(name)) === -1).map(({ name }) => name);
    expect(unknown).toEqual([]);
  });

  it('imports only from earlier modules', () => {
    const wrong = localImports()
      .filter(({ from, to }) => moduleOf(from) !== moduleOf(to) && rankOf(moduleOf(to)) >= rankOf(moduleOf(from)))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).toEqual([]);
  });

  it('names every local import with its .ts ending, and inside src', () => {
    const names = new Set(files.map(({ name }) => name));
    const dangling = localImports().filter(({ to }) => !names.has(to));
    expect(dangling).toEqual([]);
  });

  it('imports each package only in the one module that wraps it', () => {
    const wrong = imports
      .filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:'))
      .filter(({ from, to }) => ONLY_IMPORTER[packageOf(to)] !== moduleOf(from))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).toEqual([]);
  });

  it('keeps errors, printable and oci free of input and output', () => {
    const wrong = imports
      .filter(({ from, to }) => to.startsWith('node:') && ALLOWED_BUILTINS[moduleOf(from)]?.includes(to) === false)
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).toEqual([]);
  });

  it('has no cycle of files', () => {
    expect(findCycle()).toBeUndefined();
  });

  it('re-exports and does nothing else in index.ts', () => {
    const index = files.find(({ name }) => name === 'index.ts');
    const source = ts.createSourceFile('index.ts', index?.text ?? '', ts.ScriptTarget.Latest);
    const others = source.statements.filter((statement) => !ts.isExportDeclaration(statement));
    expect(others.map((statement) => statement.getText(source))).toEqual([]);
  });

  it('has no mutable state at module level', () => {
    expect(files.flatMap(({ name, text }) => mutableStateIn(name, text))).toEqual([]);
  });
});

function localImports(): { from: string; to: string }[] {
  return imports
    .filter(({ to }) => to.startsWith('.'))
    .map(({ from, to }) => ({ from, to: relative(SRC, resolve(SRC, dirname(from), to)) }));
}

/** 'oci/digest.ts' -> 'oci', 'errors.ts' -> 'errors'. */
function moduleOf(name: string): string {
  return name.replace(/\.ts$/, '').split('/')[0] ?? name;
}

function rankOf(module: string): number {
  return ORDER.findIndex((row) => row.includes(module));
}

/** 'undici/lib/x.js' -> 'undici', '@scope/name/x' -> '@scope/name'. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function findCycle(): string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to } of localImports()) targets.set(from, [...(targets.get(from) ?? []), to]);
  const finished = new Set<string>();

  function visit(name: string, path: string[]): string[] | undefined {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const next of targets.get(name) ?? []) {
      const cycle = visit(next, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(name);
    return undefined;
  }

  for (const { name } of files) {
    const cycle = visit(name, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Top-level `let` and `var`, and collections that start empty: what is filled later is state. */
function mutableStateIn(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest);
  return source.statements
    .filter((statement) => ts.isVariableStatement(statement))
    .flatMap((statement) =>
      statement.declarationList.declarations
        .filter((declaration) => !isConst(statement) || isEmptyCollection(declaration.initializer))
        .map((declaration) => `${name}: ${declaration.name.getText(source)}`),
    );
}

function isConst(statement: ts.VariableStatement): boolean {
  return (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
}

function isEmptyCollection(value: ts.Expression | undefined): boolean {
  if (value === undefined) return false;
  if (ts.isArrayLiteralExpression(value)) return value.elements.length === 0;
  if (ts.isObjectLiteralExpression(value)) return value.properties.length === 0;
  return ts.isNewExpression(value) && (value.arguments ?? []).length === 0;
}
