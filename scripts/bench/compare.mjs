import { median, timeCommand } from './measure.mjs';

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Promise<void>} [before] Makes what the command finds; is not timed.
 * @property {() => Promise<void>} [after] Makes room for the next one; is not timed.
 * @property {() => import('./measure.mjs').Command} command
 */

/**
 * Runs each contender in turn, `runs` times after one that does not count: what else the machine does meets all of them alike.
 * One that fails is left out, and told. Answers in the order of the contenders.
 * @param {Contender[]} contenders
 * @param {{ runs: number, say: (line: string) => void }} options
 * @returns {Promise<{ name: string, seconds: number[] }[]>}
 */
export async function compare(contenders, { runs, say }) {
  const results = contenders.map(({ name }) => ({ name, seconds: [] }));
  const failed = new Set();
  for (let run = 0; run <= runs; run += 1) {
    for (const [index, { name, before, after, command }] of contenders.entries()) {
      if (failed.has(index)) continue;
      try {
        await before?.();
        const seconds = await timeCommand(command());
        await after?.();
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
