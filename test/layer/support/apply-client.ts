import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { bundle } from './bundle.ts';

export interface ApplyRequest {
  /** Bottom first; each blob in base64, with the digest that its archive should have. */
  layers: { blob: string; diffId: string }[];
  /** How whiteouts are written; 'file' is for stores on an overlay, over which no overlay can be mounted. */
  form: 'trusted' | 'user' | 'file';
}

export type ApplyAnswer =
  /** What the two snapshot drivers make of the chain, as readTree lists it; without overlay for the form 'file'. */
  | { overlay?: Record<string, string>; copy: Record<string, string> }
  /** The error of the layer, which counts from 0. */
  | {
      refused: { code: string; message: string; layer: number; entry?: string | undefined; index?: number | undefined };
    }
  /**
   * What must never be: something outside of the layer was changed (P1), a descriptor or a process was left (P4), an error was
   * not one for people (P5), or a layer is not what its manifest says.
   */
  | { broken: string };

export interface ApplyServer {
  /** Requests must not overlap. Rejects when there is no answer within five seconds (P5). */
  apply(request: ApplyRequest): Promise<ApplyAnswer>;
  stop(): Promise<void>;
}

const PATIENCE = 5000; // milliseconds for what takes three

/** Starts the program of apply-server.ts, in a mount namespace of its own, with a tmpfs that goes away with it. */
export async function startApplyServer(): Promise<ApplyServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mydocker-apply-'));
  const program = await bundle('test/layer/support/apply-server.ts');
  const script = 'mount -t tmpfs tmpfs "$1" && mkdir "$1/place" && exec "$2" "$3" "$1/place"';
  const args = ['--mount', 'sh', '-c', script, 'sh', folder, process.execPath, program];
  const server = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  return {
    async apply(request) {
      const line = JSON.stringify(request);
      server.stdin.write(`${line}\n`);
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`There is no answer to ${line}`)), PATIENCE);
      });
      try {
        const { value, done } = await Promise.race([
          answers.next() as Promise<IteratorResult<string, undefined>>,
          tooLate,
        ]);
        if (done === true) throw new Error(`The server has ended with ${line}`);
        return JSON.parse(value) as ApplyAnswer;
      } catch (error) {
        server.kill('SIGKILL');
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    async stop() {
      server.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
