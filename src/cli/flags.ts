/** A flag of a command. Its name is the key under which the command lists it: `no-trunc` is `--no-trunc`. */
export interface Flag<Parsed> {
  /** One letter. */
  short?: string | undefined;
  about: string;
  /** What stands for the value in the help; '' for a flag that takes none. */
  placeholder: string;
  initial: Parsed;
  /** What is given last wins, or adds to a list. */
  merge(value: string, previous: Parsed): Parsed;
  /** Another name for the same flag, not shown. */
  alias?: string | undefined;
  hidden?: boolean | undefined;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends Flag<infer Parsed> ? Parsed : never;
};

interface Common {
  short?: string | undefined;
  about: string;
  alias?: string | undefined;
  hidden?: boolean | undefined;
}

/** `--rm`, `--rm=false`; the last one counts. */
export function booleanFlag(common: Common): Flag<boolean> {
  return { ...common, placeholder: '', initial: false, merge: parseBoolean };
}

/** Takes a value; `check` throws a FlagError for one that cannot be. */
export function stringFlag(
  common: Common & { placeholder?: string; check?: (value: string) => void },
): Flag<string | undefined> {
  const { check, placeholder = 'string', ...rest } = common;
  return {
    ...rest,
    placeholder,
    initial: undefined,
    merge: (value) => {
      check?.(value);
      return value;
    },
  };
}

/** May be given several times. */
export function listFlag(
  common: Common & { placeholder?: string; check?: (value: string) => void },
): Flag<readonly string[]> {
  const { check, placeholder = 'list', ...rest } = common;
  return {
    ...rest,
    placeholder,
    initial: [],
    merge: (value, previous) => {
      check?.(value);
      return [...previous, value];
    },
  };
}

/** A whole number between `least` and what a double holds exactly. */
export function integerFlag(common: Common & { least: number }): Flag<number | undefined> {
  const { least, ...rest } = common;
  return {
    ...rest,
    placeholder: 'int',
    initial: undefined,
    merge: (text) => {
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text))
        throw new FlagError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
      if (!Number.isSafeInteger(value)) throw new FlagError(`strconv.ParseInt: parsing "${text}": value out of range`);
      if (value < least) throw new FlagError(`must be ${least} or more`);
      return value;
    },
  };
}

/** What is wrong with a flag, in docker's words. */
export class FlagError extends Error {}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

function parseBoolean(value: string): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw new FlagError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}
