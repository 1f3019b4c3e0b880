import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describeFailure } from '../../../src/layer/failure.ts';
import type { LayerLimits } from '../../../src/layer/layer-limits.ts';
import { unpackLayer } from '../../../src/layer/unpack-layer.ts';
import { readHostFacts } from '../../../src/linux/host-facts.ts';
import { digestOf, parseDigest } from '../../../src/oci/digest.ts';

interface Input {
  /** Base64. */
  blob: string;
  diffId: string;
  childPath: string;
  limits?: Partial<LayerLimits>;
  lowers?: string[];
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
  const result = await unpackLayer({
    blobPath: join(place, 'blob'),
    descriptor: { mediaType: '', digest: digestOf(blob), size: blob.length },
    diffId: parseDigest(input.diffId),
    folder: join(place, 'root'),
    manifestPath: join(place, 'manifest'),
    lowerFolders: input.lowers ?? [],
    ownership,
    whiteouts: ownership.kind === 'root' ? 'trusted' : 'user',
    limits: input.limits,
    runnerFolder: place,
    childPath: input.childPath,
  });
  console.log(JSON.stringify(result));
}

main().catch((error: unknown) => console.log(JSON.stringify(describeFailure(error))));
