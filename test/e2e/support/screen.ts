import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';

import type { CliHome } from './cli-home.ts';
import { testBed } from './test-bed.ts';

/** A person at a terminal, which tmux is. */
export interface Screen {
  type: (...keys: string[]) => void;
  /** Resolves when the screen shows it. */
  shows: (text: RegExp) => Promise<void>;
  resize: (columns: number, rows: number) => void;
  /** Whether the terminal echoes and hands out whole lines, as a shell leaves it. */
  isCooked: () => boolean;
  /** The process that was started at it, with the CLI in its place where there is no shell in between. */
  pid: () => number;
  /** Closes the terminal's window. */
  close: () => void;
}

export interface ScreenOptions {
  home: CliHome;
  /** Undefined for root. */
  user: string | undefined;
  /** Names a server of its own: one that is ending takes nobody in. */
  socket: string;
}

/** Opens a terminal of 100 by 30 with a shell's command line, in which `mydocker` is the CLI as the home's user calls it. */
export function openScreen(line: string, { home, user, socket }: ScreenOptions): Screen {
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
  const own = [`HOME=${home.folder}`, `MYDOCKER_HOME=${home.store}`, process.execPath, testBed().cli];
  const become = user === undefined ? [] : ['setpriv', `--reuid=${home.uid}`, `--regid=${home.gid}`, '--clear-groups'];
  const call = [...become, 'env', ...own].map((word) => `'${word}'`).join(' ');
  const script = `cd ${home.folder}; mydocker() { ${call} "$@"; }; ${line}`;
  tmux('new-session', '-d', '-x', '100', '-y', '30', script);
  const ask = (format: string): string => tmux('display-message', '-p', format).trim();
  return {
    type: (...keys) => void tmux('send-keys', ...keys),
    resize: (columns, rows) => void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    isCooked: () => {
      const modes = execFileSync('stty', ['-a', '-F', ask('#{pane_tty}')], { encoding: 'utf8' }).split(/[\s;]+/);
      return ['icanon', 'echo', 'isig'].every((mode) => modes.includes(mode));
    },
    pid: () => Number(ask('#{pane_pid}')),
    close: () => void tmux('kill-session'),
    shows: async (text) => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const shown = tmux('capture-pane', '-p').replace(/ +$/gm, '').trimEnd();
        if (text.test(shown)) return;
        if (Date.now() > deadline) throw new Error(`the screen does not show ${String(text)}:\n${shown}`);
        await setTimeout(20);
      }
    },
  };
}

/** Ends a server, unless it has ended. */
export function closeScreens(socket: string): void {
  spawnSync('tmux', ['-L', socket, 'kill-server']);
}
