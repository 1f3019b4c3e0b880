import { RUNNER_ARM64 } from '../../src/linux/runner-arm64.ts';
import { describeRunnerBytes } from './describe-runner-bytes.ts';

describeRunnerBytes('RUNNER_ARM64', {
  machine: 'arm64',
  runner: RUNNER_ARM64,
  assembler: ['aarch64-linux-gnu-as'],
  objcopy: 'aarch64-linux-gnu-objcopy',
});
