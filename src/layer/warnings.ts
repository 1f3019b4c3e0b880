import { printable } from '../printable.ts';

const MAX_WARNINGS = 20;

/** What was left out of a layer, for people: each text once, and not more than a screenful. */
export interface Warnings {
  /** `subject` is text from the archive; it is made printable and quoted. */
  add(text: string, subject: string): void;
  list(): string[];
}

export function collectWarnings(): Warnings {
  const texts = new Set<string>();
  let omitted = 0;
  return {
    add(text, subject) {
      const full = `${text} "${printable(subject)}"`;
      if (texts.size < MAX_WARNINGS) texts.add(full);
      else if (!texts.has(full)) omitted += 1;
    },
    list() {
      return omitted === 0 ? [...texts] : [...texts, `and ${omitted} more like these`];
    },
  };
}
