import { compare } from '../compare.mjs';
import { pushBusybox, pushOfSize } from '../images.mjs';
import { timeCommand } from '../measure.mjs';
import { bubblewrap } from '../tools/bubblewrap.mjs';
import { containerd } from '../tools/containerd.mjs';
import { docker } from '../tools/docker.mjs';
import { node } from '../tools/limits.mjs';
import { mydocker, mydockerRootless } from '../tools/mydocker.mjs';
import { podman } from '../tools/podman.mjs';
import { runc } from '../tools/runc.mjs';

export const TOOLS = [mydocker, mydockerRootless, docker, podman, containerd, runc, bubblewrap, node];

/** Warm starts of /bin/true, one by one and four at a time. */
export async function measureStarts({ workspace, open, runs, say }) {
  const image = await pushBusybox(workspace);
  const tools = await open(TOOLS);
  const rows = [];
  for (const { pull } of tools) if (pull !== undefined) await timeCommand(pull(image));

  say('warm run of /bin/true');
  const contenders = tools.map(({ name, run }) => ({ name, command: () => run(image) }));
  const goals = { docker: 0.3, podman: 0.3, [node.name]: 3 };
  rows.push({
    title: 'warm `run --rm IMAGE /bin/true`',
    goals,
    results: await compare(contenders, { runs: runs * 3, say }),
  });

  say('100 runs, 4 at a time');
  const several = tools
    .filter(({ pull }) => pull !== undefined)
    .map(({ name, run }) => ({ name, command: () => hundred(() => run(image)) }));
  const results = await compare(several, { runs: Math.min(runs, 3), say }); // each is a hundred already
  rows.push({ title: '100 such runs, 4 at a time', goals: { docker: 1, podman: 1 }, results });

  say('pull of an image that is up to date');
  rows.push(await upToDate({ tools, image, runs, say }));
  return rows;
}

/** One command that runs 100 others; each gets a name of its own where it needs one. */
function hundred(run) {
  const commands = Array.from({ length: 100 }, () => run());
  const lines = commands.map(({ argv }) => argv.map((word) => `'${word}'`).join(' ')).join('\n');
  const [{ env, cwd }] = commands;
  return { argv: ['sh', '-c', 'printf "%s\\n" "$0" | xargs -P4 -I{} sh -c "{} 2>/dev/null"', lines], env, cwd };
}

async function upToDate({ tools, image, runs, say }) {
  const pulling = tools
    .filter(({ pull }) => pull !== undefined)
    .map(({ name, pull }) => ({ name, command: () => pull(image) }));
  const [host] = image.split('/');
  const roundTrip = { name: 'curl, one round trip', command: () => ({ argv: ['curl', '-sf', `http://${host}/v2/`] }) };
  const start = { name: node.name, command: () => ({ argv: ['node', '-e', '0'] }) };
  const results = await compare([...pulling, start, roundTrip], { runs: runs * 3, say });
  return { title: 'warm pull of an up-to-date image', goals: { [node.name]: 2 }, results };
}

/** How a start grows with the number of layers, and with their size. Answers with series for the plots. */
export async function measureGrowth({ workspace, open, runs, say }) {
  const [ours] = await open([mydocker]);
  const series = { layers: [], bytes: [] };
  say('start with 1 to 127 layers');
  for (const layers of [1, 10, 100, 127]) {
    const image = await pushBusybox(workspace, layers - 1);
    series.layers.push({ x: layers, y: await start(ours, image, { runs, say }) });
  }
  say('start with images of 1 MB to 4 GB');
  for (const megabytes of [1, 64, 512, 4096]) {
    const image = await pushOfSize(workspace, megabytes * 1024 * 1024);
    series.bytes.push({ x: megabytes, y: await start(ours, image, { runs, say }) });
    await ours.reset();
  }
  return [
    growth('start with 1, 10, 100, 127 layers', 'layers', series.layers),
    growth('start with images of 1 MB to 4 GB', 'MB', series.bytes),
  ];
}

async function start(ours, image, { runs, say }) {
  await timeCommand(ours.pull(image));
  const [{ seconds }] = await compare([{ name: image, command: () => ours.run(image) }], { runs: runs * 2, say });
  return seconds;
}

function growth(title, unit, points) {
  const results = points.map(({ x, y }) => ({ name: `${x} ${unit}`, seconds: y }));
  return { title, goals: { [results[0].name]: 1.2 }, of: results.at(-1).name, results, series: { unit, points } };
}
