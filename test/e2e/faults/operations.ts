import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { CliHome, Ended } from '../support/cli-home.ts';
import type { FaultRegistry } from './fault-registry.ts';

/** A command of the CLI to disturb. */
export interface Operation {
  title: string;
  /** What has happened to the store before; nothing where it is left out. */
  prepare?: (home: CliHome, images: FaultRegistry) => Promise<void>;
  args: (images: FaultRegistry) => string[];
  /** When it was disturbed so late that all was done, the same command says this the second time instead of succeeding. */
  alreadyDone?: RegExp;
}

/** One line per command: what changes the store belongs here. */
const OPERATIONS: Operation[] = [
  { title: 'S01 S02 a pull into a new store', args: ({ v1 }) => ['pull', '-q', v1] },
  {
    title: 'S01 a pull that goes on with an earlier one',
    prepare: leavePartialDownload,
    args: ({ v1 }) => ['pull', '-q', v1],
  },
  {
    title: 'S01 a pull of a tag that has moved',
    prepare: async (home, images) => {
      await succeed(home, ['pull', '-q', images.moving]);
      images.move();
    },
    args: ({ moving }) => ['pull', '-q', moving],
  },
  {
    title: 'S03 run, on an overlay',
    prepare: pullV1,
    args: ({ v1 }) => ['run', '--rm', '--name', 'box', v1, 'true'],
  },
  {
    title: 'S03 run, on a copy',
    prepare: async (home, images) => {
      await pullV1(home, images);
      await succeed(home, ['run', '--rm', images.v1, 'true']);
      const path = join(home.store, 'runner/driver.json');
      const remembered = JSON.parse(readFileSync(path, 'utf8')) as object;
      writeFileSync(path, JSON.stringify({ ...remembered, overlay: false }));
    },
    args: ({ v1 }) => ['run', '--rm', '--name', 'box', v1, 'true'],
  },
  {
    title: 'S04 rmi of the last name',
    prepare: pullV1,
    args: ({ v1 }) => ['rmi', v1],
    alreadyDone: /No such image/,
  },
  {
    title: 'S04 rmi beside a tag that has moved',
    prepare: async (home, images) => {
      await succeed(home, ['pull', '-q', images.moving]);
      images.move();
      await succeed(home, ['pull', '-q', images.moving]);
      await succeed(home, ['pull', '-q', images.v1]);
    },
    args: ({ v1 }) => ['rmi', v1],
    alreadyDone: /No such image/,
  },
  { title: 'S04 prune of all images', prepare: pullV1, args: () => ['prune', '--all', '--force'] },
  { title: 'S04 tag', prepare: pullV1, args: ({ v1 }) => ['tag', v1, 'team/copy:v1'] },
];

/** For tables of tests, whose titles start with those of the operations. */
export const TITLED_OPERATIONS: [string, Operation][] = OPERATIONS.map((operation) => [operation.title, operation]);

/** Runs a command that has to succeed, and answers with what it said. */
export async function succeed(home: CliHome, args: string[]): Promise<string> {
  const ended: Ended = await home.mydocker(args);
  if (ended.code !== 0) throw new Error(`mydocker ${args.join(' ')} ended with ${ended.code}: ${ended.stderr}`);
  return ended.stdout;
}

/** Makes the store as it would be without anything that was left behind: removing an image collects garbage. */
export async function collectGarbage(home: CliHome, { solo }: FaultRegistry): Promise<void> {
  await succeed(home, ['pull', '-q', solo]);
  await succeed(home, ['rmi', solo]);
}

async function pullV1(home: CliHome, { v1 }: FaultRegistry): Promise<void> {
  await succeed(home, ['pull', '-q', v1]);
}

async function leavePartialDownload(home: CliHome, images: FaultRegistry): Promise<void> {
  await collectGarbage(home, images);
  const { digest, bytes } = images.base;
  const path = join(home.store, 'ingest', digest.replace('sha256:', ''));
  writeFileSync(path, bytes.subarray(0, bytes.length / 2), { mode: 0o600 });
  chownSync(path, home.uid, home.gid);
}
