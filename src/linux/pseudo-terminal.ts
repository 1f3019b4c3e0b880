import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import type { Step } from './program.ts';

/** A new pair of terminal and master. The terminal can be opened at `path` once `unlockSteps` have been executed. */
export interface PseudoTerminal {
  /** Descriptor. */
  master: number;
  /** `/dev/pts/3` */
  path: string;
  /** The master is the caller's to close from now on. */
  release(): number;
  /** Closes the master, unless it was released. */
  close(): void;
}

/** In characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/**
 * Opens a master. What else it takes are calls of ioctl(2), which Node does not have and the runner does.
 * @throws {ToolError} ERR_HOST where there are no pseudo-terminals
 */
export function openPseudoTerminal(): PseudoTerminal {
  try {
    const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
    const index = /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${master}`, 'latin1'))?.[1];
    if (index === undefined) throw new Error('the kernel does not tell its number (Linux 4.15 does)');
    let isOurs = true;
    return {
      master,
      path: `/dev/pts/${index}`,
      release: () => {
        isOurs = false;
        return master;
      },
      close: () => {
        if (isOurs) closeSync(master);
        isOurs = false;
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('ERR_HOST', `Cannot make a terminal: ${reason}`, { cause: error });
  }
}

// include/uapi/asm-generic/ioctls.h; the same on x86-64 and arm64
const TIOCSPTLCK = 0x40045431;
const TIOCSWINSZ = 0x5414;
const TIOCSCTTY = 0x540e;
const TCSETS = 0x5402;

/** Lets the terminal of the master `descriptor` be opened. */
export function unlockSteps(descriptor: number): Step[] {
  const unlocked = Buffer.alloc(4); // an int of 0
  return [{ call: 'ioctl', args: [descriptor, TIOCSPTLCK, unlocked], what: 'unlock the terminal' }];
}

/** Sets the size; on the master it counts for the terminal, and whoever is in its foreground gets SIGWINCH. */
export function resizeSteps(descriptor: number, { columns, rows }: TerminalSize): Step[] {
  const size = Buffer.alloc(8); // struct winsize: rows, columns, and two that nobody uses
  size.writeUInt16LE(Math.min(rows, 0xffff), 0);
  size.writeUInt16LE(Math.min(columns, 0xffff), 2);
  return [{ call: 'ioctl', args: [descriptor, TIOCSWINSZ, size], what: 'set the size of the terminal' }];
}

/** Makes the terminal `descriptor` the controlling one of this session, which must be new. */
export function controlSteps(descriptor: number): Step[] {
  return [{ call: 'ioctl', args: [descriptor, TIOCSCTTY, 0], what: 'take control of the terminal' }];
}

/**
 * Makes the terminal `descriptor` hand on what is typed as it is: for a program that has another terminal behind it. Until that
 * program does so itself, what is typed would be echoed, and the end of a file kept as a byte 0. Line ends of the output still
 * become two characters: runc makes its own terminals leave that to the one before.
 */
export function rawInputSteps(descriptor: number): Step[] {
  const settings = Buffer.alloc(36); // struct termios of the kernel: four words of flags, the line discipline, 19 characters
  settings.writeUInt32LE(OPOST | ONLCR, 4);
  settings.writeUInt32LE(B38400 | CS8 | CREAD, 8);
  settings.writeUInt8(1, 17 + VMIN);
  return [{ call: 'ioctl', args: [descriptor, TCSETS, settings], what: 'make the terminal hand on all that is typed' }];
}

// include/uapi/asm-generic/termbits.h
const OPOST = 0x1;
const ONLCR = 0x4;
const B38400 = 0xf;
const CS8 = 0x30;
const CREAD = 0x80;
const VMIN = 6; // how many characters a read waits for
