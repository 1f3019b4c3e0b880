// eslint-disable-next-line no-control-regex -- controls are what this is about
const SEQUENCE = /\x1b\[(\d+)A|\x1b\[(\d+)B|\x1b\[2K|[^\x1b\n\r]+|[\n\r]/g;

/** The lines of a terminal of `rows` rows after it was sent `text`, scrollback included, without empty ones at the end. */
export function screen(text: string, rows: number): string[] {
  const lines: string[] = [''];
  let row = 0;
  const top = (): number => Math.max(0, lines.length - rows);
  for (const [sequence, up, down] of text.matchAll(SEQUENCE)) {
    if (up !== undefined) row = Math.max(top(), row - Number(up));
    else if (down !== undefined) row = Math.min(lines.length - 1, row + Number(down));
    else if (sequence === '\n') {
      row += 1;
      if (row === lines.length) lines.push('');
    } else if (sequence === '\x1b[2K') lines[row] = '';
    else if (sequence !== '\r') lines[row] = sequence; // each line is written at once, from its beginning
  }
  return lines.join('\n').trimEnd().split('\n');
}
