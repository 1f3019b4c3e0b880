import { displayWidth } from './display-width.ts';

const MIN_WIDTH = 10; // columns, including the padding
const PADDING = 3; // spaces after the widest cell

/**
 * Lines whose cells end in a tab, aligned as Go's text/tabwriter does with docker's settings. A column is as wide as the widest
 * cell in the run of neighbouring lines that have it; what follows the last tab of a line is in no column.
 * Source: https://pkg.go.dev/text/tabwriter.
 */
export function alignColumns(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths = lines.map((cells) => cells.slice(0, -1).map(displayWidth));
  setColumnWidths(widths, 0);
  return lines.map((cells, row) => cells.map((cell, column) => pad(cell, widths[row]?.[column])).join('')).join('\n');
}

/** Replaces the width of each cell, from `column` on, by that of its column. */
function setColumnWidths(rows: number[][], column: number): void {
  let block: number[][] = [];
  const endBlock = (): void => {
    const widest = Math.max(MIN_WIDTH, ...block.map((cells) => (cells[column] ?? 0) + PADDING));
    for (const cells of block) cells[column] = widest;
    if (block.length > 0) setColumnWidths(block, column + 1);
    block = [];
  };
  for (const cells of rows) {
    if (cells.length > column) block.push(cells);
    else endBlock();
  }
  endBlock();
}

function pad(cell: string, width: number | undefined): string {
  return width === undefined ? cell : cell + ' '.repeat(Math.max(0, width - displayWidth(cell)));
}
