const MAX_PRINTED = 200; // characters; more of a hostile text than this helps nobody

/**
 * Text from outside (a registry, an image, a file name) made safe for a terminal and a log:
 * control, bidirectional and line-separator characters are escaped, and what is longer than `max` characters is cut.
 */
export function printable(text: string, max: number = MAX_PRINTED): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text;
  return cut.replace(UNPRINTABLE, escapeCharacter);
}

// C0 and C1 controls, zero-width and bidirectional marks, line and paragraph separators, lone surrogates, BOM.
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex -- controls are what this is about
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
