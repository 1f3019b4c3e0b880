import { join } from 'node:path';
import { openEngine } from '../../image/engine.ts';
import { runImage } from '../run-image.ts';
import type { Connection } from './connection.ts';
import { serveSession } from './serve-session.ts';
import type { SignalRelay } from './signal-relay.ts';
import { decodeJob } from './supervisor-job.ts';

/** What a supervisor does: takes the job that its owner has for it, and does it. Resolves at the end, whatever that was. */
export async function superviseContainer(owner: Connection, relay: SignalRelay): Promise<void> {
  const first = await owner.messages.next();
  if (first.done === true || first.value.kind !== 'run') return;
  const { home, image, options, size } = decodeJob(first.value.bytes);
  await serveSession({
    owner,
    size,
    relay,
    folderOf: (id) => join(home, 'containers', id),
    run: async ({ terminal, ...session }) => {
      const engine = await openEngine({ home });
      return runImage({
        engine,
        image,
        options: { ...options, terminal },
        stdio: ['ignore', 'ignore', 'ignore'],
        ...session,
      });
    },
  });
}
