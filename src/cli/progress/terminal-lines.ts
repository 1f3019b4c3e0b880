import type { Output } from '../context.ts';

/** Lines at the bottom of a terminal that are rewritten in place. */
export interface TerminalLines {
  /** Sets the line of `id`, a new one at the bottom if there is none. A final line must not be set again. */
  set: (id: string, text: string, isFinal: boolean) => void;
  /** Writes lines that stay, below all others, which are from now on left alone. */
  print: (text: string) => void;
}

interface Line {
  id: string;
  text: string;
  isFinal: boolean;
}

/**
 * The sequences are docker's (displayJSONMessages of
 * https://github.com/moby/moby/blob/v29.0.0/client/pkg/jsonmessage/jsonmessage.go), which are wrong for more lines than the
 * terminal has: then, here, final lines go up into the scrollback first, and lines that find no room wait until there is some.
 */
export function createTerminalLines(output: Output): TerminalLines {
  let live: Line[] = [];
  let waiting: Line[] = [];
  const hasRoom = (): boolean => live.length < Math.max(1, output.rows() - 1);

  const append = (line: Line): void => {
    live.push(line);
    output.write(`\n${rewritten(line, 1, output)}`);
  };
  const scrollFinalLines = (): void => {
    const sorted = [...live.filter((line) => line.isFinal), ...live.filter((line) => !line.isFinal)];
    const lines = sorted.map((line) => `\x1b[2K\r${cut(line.text, output)}\r\x1b[1B`);
    output.write(`\x1b[${live.length}A${lines.join('')}`);
    live = live.filter((line) => !line.isFinal);
  };
  const showWaiting = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (!hasRoom()) {
        if (!live.some((line) => line.isFinal)) return;
        scrollFinalLines();
      }
      append(next);
      waiting = waiting.slice(1);
    }
  };
  return {
    set: (id, text, isFinal) => {
      const at = live.findIndex((line) => line.id === id);
      const shown = live[at];
      const line = shown ?? waiting.find((other) => other.id === id);
      const isChanged = line?.text !== text;
      if (line === undefined) waiting.push({ id, text, isFinal });
      else Object.assign(line, { text, isFinal });
      if (shown !== undefined && isChanged) output.write(rewritten(shown, live.length - at, output));
      showWaiting();
    },
    print: (text) => {
      live = [];
      waiting = [];
      output.write(text);
    },
  };
}

/** Writes a line `up` rows above the cursor, which comes back to where it was. */
function rewritten(line: Line, up: number, output: Output): string {
  return `\x1b[${up}A\x1b[2K\r${cut(line.text, output)}\r\x1b[${up}B`;
}

/** A line that ran over would count as two. */
function cut(text: string, output: Output): string {
  return text.slice(0, Math.max(1, output.columns()));
}
