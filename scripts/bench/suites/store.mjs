import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { compare } from '../compare.mjs';
import { makeLayer } from '../make-layer.mjs';
import { pushImage } from '../push-image.mjs';
import { median } from '../measure.mjs';
import { node } from '../tools/limits.mjs';
import { mydocker } from '../tools/mydocker.mjs';

// With a manifest, a config and five layers each; the last make 10,010 blobs.
const COUNTS = [250, 500, 1000, 1430];
const LAYERS = 5;

/** The commands that go through the whole store, which grows meanwhile. */
export async function measureStore({ workspace, open, runs, say }) {
  const [ours] = await open([mydocker]);
  const measured = [];
  let made = 0;
  for (const count of COUNTS) {
    for (; made < count; made += 1) await addImage(workspace, ours, made);
    say(`${count} images of ${LAYERS} layers`);
    const restore = saveStore(workspace, ours);
    measured.push({ count, results: await compare(contenders(workspace, ours, restore), { runs, say }) });
    restore();
  }
  return ['images', 'rmi', 'prune'].map((name) => row(name, measured));
}

/** By the library, in this process: the start of a thousand others is not what this is about. */
async function addImage({ registry }, { home }, index) {
  const { pull } = await import('../../../dist/index.js');
  const layers = [];
  for (let layer = 0; layer < LAYERS; layer += 1) {
    layers.push(await makeLayer({ extra: [[{ name: `file-${index}-${layer}` }, `${index} ${layer}`]] }));
  }
  await pull(await pushImage(registry, `bench/store:${index}`, layers), { home });
}

/** Answers with what brings the store back as it is now. */
function saveStore({ folder }, { home }) {
  const saved = join(folder, 'saved-store');
  const copy = (from, to) => {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  };
  copy(home, saved);
  return () => copy(saved, home);
}

function contenders({ registry }, ours, restore) {
  const before = async () => restore();
  return [
    { name: 'images', before, command: () => ours.command('images') },
    { name: 'rmi', before, command: () => ours.command('rmi', `${registry}/bench/store:7`) },
    { name: 'prune', before, command: () => ours.command('prune', '--all', '--force') },
    { name: node.name, command: () => ({ argv: ['node', '-e', '0'] }) },
  ];
}

function row(name, measured) {
  const of = `${name}, ${COUNTS.at(-1)} images`;
  const results = measured.flatMap(({ count, results: [...all] }) =>
    all.filter((one) => one.name === name).map(({ seconds }) => ({ name: `${name}, ${count} images`, seconds })),
  );
  const { seconds } = measured.at(-1).results.find((one) => one.name === node.name);
  const points = measured.map(({ count }, index) => ({ x: count, y: median(results[index].seconds) }));
  return {
    title: `\`${name}\` in a store that grows`,
    of,
    // As many times as long as there are times as many images: linear.
    goals: { [node.name]: 1.5, [`${name}, ${COUNTS[0]} images`]: Number((COUNTS.at(-1) / COUNTS[0]).toFixed(1)) },
    results: [...results, { name: node.name, seconds }],
    series: { unit: 'images of five layers', points },
  };
}
