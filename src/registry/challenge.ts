/** One challenge of a WWW-Authenticate header. Scheme and parameter names are in lower case. */
export interface Challenge {
  scheme: string;
  parameters: ReadonlyMap<string, string>;
}

const MAX_HEADER = 16 * 1024; // characters; as much as the HTTP parser lets through
const SEPARATORS = /[\s,]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const EQUALS = /\s*=\s*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
// Not a token by the book, but servers leave the quotes out around URLs.
const UNQUOTED = /[^\s",]+/y;
const TOKEN68 = /\s+[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;

/**
 * Reads the challenges of a WWW-Authenticate header, or of several. What cannot be understood ends the header's
 * list: the challenges before it count. Of a repeated parameter the first counts.
 * https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate
 */
export function parseChallenges(header: string | string[] | undefined): Challenge[] {
  return [header ?? []].flat().flatMap((line) => parseLine(line.slice(0, MAX_HEADER)));
}

function parseLine(line: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SEPARATORS);
    const scheme = take(TOKEN)?.[0];
    if (scheme === undefined) return challenges;
    take(TOKEN68);
    const parameters = new Map<string, string>();
    for (;;) {
      const before = at;
      take(SEPARATORS);
      const name = take(TOKEN)?.[0].toLowerCase();
      if (name === undefined || take(EQUALS) === null) {
        at = before; // the next challenge, or the end
        break;
      }
      const value = takeValue(take);
      if (value === undefined) return [...challenges, { scheme: scheme.toLowerCase(), parameters }];
      if (!parameters.has(name)) parameters.set(name, value);
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
}

function takeValue(take: (pattern: RegExp) => RegExpExecArray | null): string | undefined {
  const quoted = take(QUOTED);
  if (quoted !== null) return (quoted[1] ?? '').replace(/\\(.)/g, '$1');
  return take(UNQUOTED)?.[0];
}
