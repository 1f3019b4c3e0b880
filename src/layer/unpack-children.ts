import type { Ownership } from '../linux/ownership.ts';
import { startUnpackChild, type JobEnd, type UnpackChild } from './start-unpack-child.ts';
import type { ChildInput, ChildJob, NewsMessage } from './unpack-job.ts';

export interface ChildPlace {
  /** Who owns what is unpacked. */
  ownership: Ownership;
  /** For the runner's executable file: see startRunner. */
  runnerFolder: string;
  /** The bundle of unpack-child.ts, unless it is in its usual place. */
  childPath?: string | undefined;
}

/** Processes that unpack and verify layers. One that has done a job does the next: starting one takes longer than a small layer. */
export interface UnpackChildren {
  readonly ownership: Ownership;
  /** Gives a job to a process that has nothing to do, or to a new one. Throws as `startUnpackChild` does. */
  begin(job: ChildJob, hooks: JobHooks): RunningJob;
  /** Ends the processes. No job is running any more. */
  close(): Promise<void>;
}

export interface JobHooks {
  /** For the message of an error; continues "Cannot". */
  task: string;
  onNews: (message: NewsMessage) => void;
}

export interface RunningJob {
  /** As those of its `UnpackChild`; both do nothing once the job is done. */
  write(input: ChildInput): void;
  kill(): void;
  /** As `UnpackChild.do` answers. */
  ended: Promise<JobEnd>;
}

export function createUnpackChildren({ ownership, runnerFolder, childPath }: ChildPlace): UnpackChildren {
  const all = new Set<UnpackChild>();
  const idle: UnpackChild[] = [];
  const start = (task: string): UnpackChild => {
    const child = startUnpackChild({ task, ownership, runnerFolder, path: childPath });
    all.add(child);
    const forget = (): void => {
      all.delete(child);
      if (idle.includes(child)) idle.splice(idle.indexOf(child), 1);
    };
    child.ended.then(forget, forget);
    return child;
  };
  return {
    ownership,
    begin(job, { task, onNews }) {
      const child = idle.pop() ?? start(task);
      const told = ownership.kind === 'root' ? { ...job, parent: process.pid } : job;
      let isRunning = true;
      const run = async (): Promise<JobEnd> => {
        const end = await child.do(told, onNews);
        isRunning = false;
        if (end.message !== undefined && end.message.kind !== 'failure') idle.push(child);
        return end;
      };
      return {
        write: (input) => {
          if (isRunning) child.write(input);
        },
        kill: () => {
          if (isRunning) child.kill();
        },
        ended: run(),
      };
    },
    async close() {
      const ended = [...all].map(async (child) => child.ended);
      for (const child of all) child.end();
      await Promise.allSettled(ended);
    },
  };
}
