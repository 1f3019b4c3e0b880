import type { Reporter, TestCase, TestModule } from 'vitest/node';

import './task-meta.ts';

/** Says after the run what was skipped and why, and ends with one plain line that a script can read. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    for (const [reason, count] of countReasons(skipped)) console.log(`skipped ${count} because ${reason}`);

    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const failedTests = tests.filter((test) => test.result().state === 'failed').length;
    // A file that cannot be loaded or a suite that cannot be set up has tests that did not run, and must not count as nothing.
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0).length;
    const failed = failedTests + broken + unhandledErrors.length;
    if (failed > 0) console.log(`MYDOCKER_SEED=${process.env['MYDOCKER_SEED']}`);
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  }
}

function countReasons(skipped: readonly TestCase[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const test of skipped) {
    const reason = test.meta().skipReason ?? noteOf(test) ?? 'its file says so, or its suite could not be set up';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}
