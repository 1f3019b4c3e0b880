import { RUNNER_X64 } from '../../src/linux/runner-x64.ts';
import { describeRunnerBytes } from './describe-runner-bytes.ts';

describeRunnerBytes('RUNNER_X64', {
  machine: 'x64',
  runner: RUNNER_X64,
  assembler: ['as', '--64'],
  objcopy: 'objcopy',
});
