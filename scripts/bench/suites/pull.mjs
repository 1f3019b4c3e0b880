import { writeFileSync } from 'node:fs';

import { compare } from '../compare.mjs';
import { pushBusybox, pushFiveLayers, pushNoise, pushOneLayer, pushShared, pushSmallFiles } from '../images.mjs';
import { median, peakMemory, timeCommand } from '../measure.mjs';
import { containerd } from '../tools/containerd.mjs';
import { docker } from '../tools/docker.mjs';
import { pipeline } from '../tools/limits.mjs';
import { mydocker } from '../tools/mydocker.mjs';
import { podman } from '../tools/podman.mjs';
import { skopeoUmoci } from '../tools/skopeo-umoci.mjs';

export const TOOLS = [mydocker, docker, podman, skopeoUmoci, containerd, pipeline];

/** Cold pulls. `open` answers with those of the tools that are there; see main.mjs. */
export async function measurePulls({ workspace, open, runs, say }) {
  const { image, layers } = await pushFiveLayers(workspace);
  const tools = await open(TOOLS);
  const rows = [];

  say('cold pull of five layers');
  const contenders = tools.map((tool) => contender(tool, image, layers, workspace));
  rows.push({
    title: 'cold pull and unpack, 5 layers',
    goals: GOALS.five,
    results: await compare(contenders, { runs, say }),
  });

  say('peak memory of that pull');
  rows.push({ title: 'peak memory of that pull', goals: GOALS.memory, results: await memory(tools, image) });

  say('cold pull of 100 small layers');
  rows.push(await manyLayers({ workspace, tools, runs, say }));

  say('pull of an image that shares four of five layers');
  rows.push(await shared({ workspace, ours: tools[0], image, layers, runs, say }));
  return rows;
}

/** One layer instead of five, and what memory has to do with its size. */
export async function measureLargeLayers({ workspace, open, runs, say }) {
  const image = await pushOneLayer(workspace, 500);
  const tools = (await open(TOOLS)).filter(({ pull }) => pull !== undefined);
  say('cold pull of one layer');
  const contenders = tools.map((tool) => contender(tool, image, [], workspace));
  const one = {
    title: 'cold pull and unpack, one layer of 500 MB',
    goals: GOALS.one,
    results: await compare(contenders, { runs, say }),
  };

  say('peak memory by the size of the layer');
  const [ours] = tools;
  const results = [];
  for (const megabytes of [50, 2000]) {
    const [measured] = await memory([ours], await pushNoise(workspace, megabytes));
    results.push({ ...measured, name: `${ours.name}, ${megabytes} MB` });
  }
  const [small, large] = results;
  return [one, { title: 'peak memory of a pull', of: large.name, goals: { [small.name]: 1.2 }, results }];
}

const GOALS = {
  five: { docker: 0.35, podman: 0.3, [pipeline.name]: 0.8 },
  memory: { docker: 1, podman: 1 },
  one: { docker: 0.5 },
};

function contender({ name, pull, pullLayers, reset }, image, layers, { registry }) {
  const base = `http://${registry}/v2/bench/five/blobs`;
  const command =
    pullLayers === undefined ? pull : () => pullLayers({ base, digests: layers.map(({ digest }) => digest) });
  return { name, command: () => command(image), after: async () => reset(image) };
}

const MEMORY_RUNS = 3;

async function memory(tools, image) {
  const results = [];
  for (const { name, pull, reset, daemons } of tools.filter((tool) => tool.pull !== undefined)) {
    const peaks = [];
    for (let run = 0; run < MEMORY_RUNS; run += 1) {
      peaks.push(await peakMemory(pull(image), daemons));
      await reset(image);
    }
    results.push({ name, bytes: median(peaks) });
  }
  return results;
}

/** What each layer costs by itself. */
async function manyLayers({ workspace, tools, runs, say }) {
  const image = await pushBusybox(workspace, 99);
  const contenders = tools.filter(({ pull }) => pull !== undefined);
  const results = await compare(
    contenders.map((tool) => contender(tool, image, [], workspace)),
    { runs, say },
  );
  return { title: 'cold pull and unpack, 100 small layers', goals: {}, results };
}

async function shared({ workspace, ours, image, layers, runs, say }) {
  const { image: other, alone } = await pushShared(workspace, layers);
  const rest = { name: 'mydocker, with four layers there', command: () => ours.pull(other) };
  const fifth = {
    name: 'mydocker, the fifth alone',
    command: () => ours.pull(alone),
    before: async () => ours.reset(),
  };
  rest.before = async () => {
    await ours.reset();
    await timeCommand(ours.pull(image));
  };
  const results = await compare([rest, fifth], { runs, say });
  return { title: 'pull of an image that shares 4 of 5 layers', goals: { [fifth.name]: 1.1 }, results };
}

/** Many small files, beside the programs that do nothing else. */
export async function measureSmallFiles({ workspace, open, runs, say }) {
  const { image, layer } = await pushSmallFiles(workspace);
  const [ours] = await open([mydocker]);
  const archive = `${workspace.folder}/small.tar.gz`;
  writeFileSync(archive, layer.archive);
  say('200,000 files of 1 kB');
  const unpack = {
    name: 'pigz and tar',
    before: async () => workspace.makeFolder('small'),
    command: () => ({
      argv: ['sh', '-c', 'pigz -dc "$0" | tar -x --numeric-owner -C "$1"', archive, `${workspace.folder}/small`],
    }),
  };
  const results = await compare([contender(ours, image, [], workspace), unpack], { runs, say });
  return [{ title: '200,000 files of 1 kB in one layer', goals: { [unpack.name]: 0.9 }, results }];
}
