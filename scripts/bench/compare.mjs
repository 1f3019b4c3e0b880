import { median, timeCommand } from './measure.mjs';

/**
 * Runs each contender in turn, `runs` times after one that does not count: what else the machine does meets all of them alike.
 * A contender is {name, before?, command, repeat?}: `before` (not timed) makes what `command` finds. One that fails is left out, and told.
 * Answers with [{name, seconds: [...]}], in the order of the contenders.
 */
export async function compare(contenders, { runs, say }) {
  const results = contenders.map(({ name }) => ({ name, seconds: [] }));
  const failed = new Set();
  for (let run = 0; run <= runs; run += 1) {
    for (const [index, { name, before, command }] of contenders.entries()) {
      if (failed.has(index)) continue;
      try {
        await before?.();
        const seconds = await timeCommand(command());
        if (run > 0) results[index].seconds.push(seconds);
      } catch (error) {
        failed.add(index);
        say(`  ${name} is left out: ${error.message.slice(0, 500)}`);
      }
    }
  }
  const measured = results.filter((_, index) => !failed.has(index));
  for (const { name, seconds } of measured) say(`  ${name}: ${median(seconds).toFixed(3)} s`);
  return measured;
}
