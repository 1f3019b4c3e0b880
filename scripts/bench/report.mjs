// What was measured, as the Markdown of docs/benchmarks.md.
import { arch, cpus, release, totalmem } from 'node:os';

import { median } from './measure.mjs';

/** `rows`: {title, goals: {name of another: the ratio to reach}, of?, results: [{name, seconds | bytes}]}, ours first. */
export function report({ rows, versions, command, date }) {
  return [
    `Made on ${date} by \`${command}\`, on ${cpus().length} cores (${cpus()[0].model.trim()}), ${gigabytes(totalmem())} of memory, Linux ${release()}, ${arch()}.`,
    '',
    'What took part:',
    '',
    ...versions.map(({ name, version }) => `- ${name}: ${version ?? 'not installed, so not measured'}`),
    '',
    ...table(['what', 'who', 'median', 'spread', 'mydocker to it', 'to reach'], rows.flatMap(rowsOf)),
    '',
  ].join('\n');
}

function rowsOf({ title, goals, of, results }) {
  const ours = results.find(({ name }) => name === of) ?? results[0];
  return results.map((result, index) => {
    const goal = goals[result.name];
    const ratio = valueOf(ours) / valueOf(result);
    const isMet = goal === undefined ? '' : `≤ ${goal}${ratio <= goal ? '' : ', **missed**'}`;
    const compared = result === ours ? '' : ratio.toFixed(2);
    return [index === 0 ? title : '', result.name, show(result, valueOf(result)), spread(result), compared, isMet];
  });
}

function valueOf({ seconds, bytes }) {
  return seconds === undefined ? bytes : median(seconds);
}

function show({ seconds }, value) {
  if (seconds === undefined) return `${(value / 1e6).toFixed(0)} MB`;
  return value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

function spread(result) {
  if (result.seconds === undefined) return '';
  return `${show(result, Math.min(...result.seconds))} to ${show(result, Math.max(...result.seconds))}`;
}

function table(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)];
}

function gigabytes(bytes) {
  return `${(bytes / 2 ** 30).toFixed(0)} GiB`;
}
