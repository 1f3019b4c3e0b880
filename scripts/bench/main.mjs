// Measures mydocker beside its peers: docs/benchmarks.md says how and what came out. Needs root, a built dist/ and docker-registry.
//   node scripts/bench/main.mjs [--runs N] [--only SUITE,...] [--size TMPFS] [--write]
//     --runs    how often each is run; the medians of these are compared (5)
//     --only    of: start, growth, store, reflink, pull, large-layers, small-files
//     --size    of the tmpfs that holds every store and the registry (14g)
//     --write   into docs/benchmarks.md and docs/benchmarks/*.svg, instead of only printing it
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { median } from './measure.mjs';
import { plot } from './plot.mjs';
import { report } from './report.mjs';
import { TOOLS as PULLING, measureLargeLayers, measurePulls, measureSmallFiles } from './suites/pull.mjs';
import { measureReflink } from './suites/reflink.mjs';
import { TOOLS as STARTING, measureGrowth, measureStarts } from './suites/start.mjs';
import { measureStore } from './suites/store.mjs';
import { withWorkspace } from './workspace.mjs';

const SUITES = {
  start: measureStarts,
  growth: measureGrowth,
  store: measureStore,
  reflink: measureReflink,
  pull: measurePulls,
  'large-layers': measureLargeLayers,
  'small-files': measureSmallFiles,
};
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: Object.keys(SUITES).join(',') },
    size: { type: 'string', default: '14g' },
    write: { type: 'boolean', default: false },
  },
});
process.stderr.on('error', () => undefined); // nobody looks on any more: the daemons are ended all the same
const say = (line) => process.stderr.write(`${line}\n`);
const names = values.only.split(',');
const unknown = names.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0) throw new Error(`There is no suite "${unknown.join(', ')}": ${Object.keys(SUITES).join(', ')}`);

const rows = [];
for (const name of names) {
  try {
    // A workspace for each: what one suite has filled would slow the next.
    rows.push(...(await withWorkspace(values, async (workspace) => run(SUITES[name], workspace))));
  } catch (error) {
    process.exitCode = 1; // the others are measured all the same
    say(`${name} has failed: ${error.stack}`);
  }
}
const tools = [...new Set([...PULLING, ...STARTING])];
const text = report({
  rows,
  versions: tools.map(({ name, version }) => ({ name, version: version() })),
  command: `npm run bench -- --runs ${values.runs} --only ${names.join(',')}`,
  date: new Date().toISOString().slice(0, 10),
});
process.stdout.write(text);
if (values.write) writeDocs();

async function run(suite, workspace) {
  return suite({ workspace, open: opener(workspace), runs: Number(values.runs), say });
}

/** Answers with those of the tools that are installed, each with a store of its own. */
function opener(workspace) {
  return async (wanted) => {
    const opened = [];
    for (const tool of wanted) {
      if (tool.version() === undefined) continue;
      try {
        opened.push({ name: tool.name, ...(await tool.open(workspace)) });
      } catch (error) {
        say(`${tool.name} is left out: ${error.message}`);
      }
    }
    return opened;
  };
}

function writeDocs() {
  const path = join(DOCS, 'benchmarks.md');
  const [before, after] = [/^[^]*<!-- measured -->\n/, /<!-- \/measured -->[^]*$/].map(
    (part) => part.exec(readFileSync(path, 'utf8'))[0],
  );
  writeFileSync(path, `${before}\n${text}\n${after}`);
  mkdirSync(join(DOCS, 'benchmarks'), { recursive: true });
  for (const { title, series } of rows.filter((row) => row.series !== undefined)) {
    const points = series.points.map(({ x, y }) => ({ x, y: typeof y === 'number' ? y : median(y) }));
    const name = `${title
      .replaceAll(/[^a-z0-9]+/gi, '-')
      .replaceAll(/^-|-$/g, '')
      .toLowerCase()}.svg`;
    writeFileSync(
      join(DOCS, 'benchmarks', name),
      plot({ title: title.replaceAll('`', ''), unit: series.unit, points }),
    );
  }
}
