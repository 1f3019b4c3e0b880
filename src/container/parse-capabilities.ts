import { ToolError } from '../errors.ts';
import { CAPABILITIES, DEFAULT_CAPABILITIES, parseCapability } from '../linux/capabilities.ts';
import type { Capability } from '../linux/capabilities.ts';
import { printable } from '../printable.ts';

export interface CapabilityRequest {
  /** Names with or without `CAP_`, in any case; `ALL`. */
  add: readonly string[];
  drop: readonly string[];
  privileged: boolean;
  /** What it starts with; docker's 14 unless given. */
  defaults?: readonly Capability[] | undefined;
}

/**
 * What a container may ever have: the defaults, with what is added and without what is dropped. Dropping `ALL` leaves what is
 * added; adding `ALL` gives everything but what is dropped; a privileged container has everything.
 * @throws {ToolError} ERR_USAGE for a name that is none
 */
export function parseCapabilities({
  add,
  drop,
  privileged,
  defaults = DEFAULT_CAPABILITIES,
}: CapabilityRequest): readonly Capability[] {
  const [added, dropped] = [add.map(parse), drop.map(parse)];
  if (privileged) return CAPABILITIES;
  const start = added.includes(ALL) ? CAPABILITIES : dropped.includes(ALL) ? [] : defaults;
  const kept = start.filter((name) => !dropped.includes(name));
  return [...new Set([...kept, ...added.filter((name) => name !== ALL)])];
}

const ALL = 'ALL';

function parse(text: string): Capability | typeof ALL {
  const name = text.toUpperCase() === ALL || text.toUpperCase() === `CAP_${ALL}` ? ALL : parseCapability(text);
  if (name !== undefined) return name;
  throw new ToolError('ERR_USAGE', `invalid capability: "${printable(text)}"`, {
    hint: 'capabilities(7) has their names.',
  });
}
