import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { describe, expect, it, onTestFinished } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { longTimeout, rounds } from '../../support/soak.ts';
import { putImage } from '../../support/registry/index.ts';
import { execute } from '../support/execute.ts';
import { testBed } from '../support/test-bed.ts';
import { startFaultRegistry } from './fault-registry.ts';
import { FAULT_NEEDS } from './faulty-run.ts';
import { openHome } from './sweep.ts';

// Pulls and runs that fail, each in its own way, over and over. Prints what the process has open early on and at the end.
const PROGRAM = `
  import { readdirSync, readFileSync } from 'node:fs';
  const [index, home, rounds, ...images] = process.argv.slice(2);
  const { pull, run } = await import(index);
  const [good, ...broken] = images;
  await pull(good, { home });
  const attempts = [
    ...broken.map((name) => async () => pull(name, { home })),
    async () => run(good, ['/no/such/program'], { home, rm: true }),
    async () => run(good, ['true'], { home, rm: true, workdir: '/bin/busybox' }),
    async () => run('127.0.0.1:1/nothing', [], { home, rm: true, pull: 'never' }),
    async () => run(good, ['sleep', '1000'], { home, rm: true, signal: AbortSignal.timeout(30) }),
  ];
  const count = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100)); // for closed sockets to go
    const tasks = readdirSync('/proc/self/task');
    return {
      descriptors: readdirSync('/proc/self/fd').length,
      children: tasks.flatMap((task) => readFileSync(\`/proc/self/task/\${task}/children\`, 'utf8').split(' ')).join(''),
      mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').filter((line) => line.includes(home)),
      containers: readdirSync(home + '/containers').filter((name) => name !== 'names'),
      layers: readdirSync(home + '/layers').length,
      leases: readdirSync(home + '/leases'),
      trash: readdirSync(home + '/trash'),
    };
  };
  const counts = [];
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const attempt of attempts) {
      const failure = await attempt().then((value) => JSON.stringify(value), () => undefined);
      if (failure !== undefined) throw new Error('succeeded: ' + attempt + failure);
    }
    if (round === 1) counts.push(await count());
  }
  counts.push(await count());
  console.log(JSON.stringify(counts));
  process.exit();
`;

describe('pulls and runs that fail', requires(...FAULT_NEEDS), () => {
  it(
    'S30 F8 leave no descriptor, process, mount, container, layer or lease behind',
    async () => {
      const images = await startFaultRegistry();
      onTestFinished(async () => images.close());
      const { registry } = images;
      const home = openHome();
      const script = join(home.folder, 'program.mjs');
      writeFileSync(script, PROGRAM);
      putImage(registry, 'broken', 'archive', { layers: [{ bytes: gzipSync(Buffer.alloc(2048, 'no archive')) }] });
      const diffId = `sha256:${'0'.repeat(64)}`;
      putImage(registry, 'broken', 'diff-id', { layers: [{ bytes: gzipSync(Buffer.alloc(1024)), diffId }] });
      const { layers } = putImage(registry, 'broken', 'digest', {
        layers: [{ bytes: gzipSync(Buffer.alloc(10_240)) }],
      });
      registry.putBlob('broken', Buffer.alloc(layers[0]?.size ?? 0), { digest: layers[0]?.digest ?? '' });
      const broken = ['archive', 'diff-id', 'digest', 'nothing'].map((tag) => `${registry.host}/broken:${tag}`);
      const index = pathToFileURL(join(dirname(testBed().cli), '../index.js')).href;
      const args = [script, index, home.store, String(rounds(5, 70)), images.v1, ...broken];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const [early, late] = JSON.parse(stdout) as unknown[];
      expect(late).toEqual(early);
      expect(late).toMatchObject({ children: '', mounts: [], containers: [], layers: 2, leases: [], trash: [] });
      expect(execute('find', [home.store, '-name', '.tmp-*'])).toBe('');
    },
    longTimeout(300_000),
  );
});
