import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { describeFailure } from '../../../src/layer/failure.ts';
import type { LayerLimits } from '../../../src/layer/layer-limits.ts';
import { createUnpackChildren } from '../../../src/layer/unpack-children.ts';
import { unpackLayer } from '../../../src/layer/unpack-layer.ts';
import { readHostFacts } from '../../../src/linux/host-facts.ts';
import { digestOf, parseDigest } from '../../../src/oci/digest.ts';
import { isOpen } from './is-open.ts';

interface Input {
  /** Base64. */
  blob: string;
  diffId: string;
  childPath: string;
  limits?: Partial<LayerLimits>;
  lowers?: string[];
  /** Opens files until no more than so many descriptors are left. */
  spare?: number;
}

/**
 * A program that unpacks one layer as the user that it runs as, to be killed or to be run where the test itself cannot be. Its
 * argument is a folder with an empty folder `root`; its standard input says the rest, and it answers with a result or a failure in JSON.
 */
async function main(): Promise<void> {
  const input = JSON.parse(await text(process.stdin)) as Input;
  const place = process.argv[2]!;
  const { ownership } = readHostFacts();
  const blob = Buffer.from(input.blob, 'base64');
  writeFileSync(join(place, 'blob'), blob);
  if (input.spare !== undefined) {
    await once(spawn('true'), 'exit'); // for which Node opens what it then keeps
    exhaustDescriptors(input.spare);
  }
  const before = openFiles();
  const children = createUnpackChildren({ ownership, runnerFolder: place, childPath: input.childPath });
  const result = await unpackLayer({
    blobPath: join(place, 'blob'),
    descriptor: { mediaType: '', digest: digestOf(blob), size: blob.length },
    diffId: parseDigest(input.diffId),
    folder: join(place, 'root'),
    manifestPath: join(place, 'manifest'),
    lowerFolders: input.lowers ?? [],
    whiteouts: ownership.kind === 'root' ? 'trusted' : 'user',
    limits: input.limits,
    children,
  }).catch(describeFailure);
  await children.close();
  // What the event loop closes, it closes in its next turn.
  await nextTurn();
  console.log(JSON.stringify({ ...result, left: openFiles() - before }));
}

function exhaustDescriptors(spare: number): void {
  const open: number[] = [];
  try {
    for (;;) open.push(openSync('/dev/null', 'r'));
  } catch {
    for (const fd of open.slice(open.length - spare)) closeSync(fd);
  }
}

/** By their numbers: a listing of them would need one more. */
function openFiles(): number {
  let count = 0;
  for (let fd = 0; fd < 1024; fd += 1) if (isOpen(fd)) count += 1;
  return count;
}

void main();
