import { run as runImage } from '../../container/run.ts';
import type { RunResult } from '../../container/run-container.ts';
import type { RunRequest } from '../engine-api.ts';
import { runOptions } from './run-options.ts';

export async function run(image: string, request: RunRequest): Promise<RunResult> {
  return runImage(image, request.command, runOptions(request));
}
