/**
 * A shell pattern as Go's `path.Match` reads it: `*` and `?` stop at a slash, `[a-z]` and `[^a]` are classes, `\` takes the
 * next character as it is. Answers `undefined` for a malformed pattern. Source: https://pkg.go.dev/path#Match.
 */
export function compileGlob(pattern: string): RegExp | undefined {
  let source = '';
  for (let at = 0; at < pattern.length;) {
    const [token = ''] = /^(?:\\[^]|\[\^?(?:\\[^]|[^\]\\])+\]|[^])/u.exec(pattern.slice(at)) ?? [];
    if (token === '[' || token === '\\') return undefined;
    source += translate(token);
    at += token.length;
  }
  try {
    return new RegExp(`^${source}$`, 'u');
  } catch {
    return undefined; // a range that runs backwards, `[z-a]`
  }
}

function translate(token: string): string {
  if (token === '*') return '[^/]*';
  if (token === '?') return '[^/]';
  if (token.startsWith('\\')) return literal(token.slice(1));
  if (!token.startsWith('[')) return literal(token);
  const isNegated = token.startsWith('[^');
  const members = token.slice(isNegated ? 2 : 1, -1);
  return `[${isNegated ? '^' : ''}${members.replace(/\\([^])|([&\-!#%,:;<=>@`~[^])/gu, escapeMember)}]`;
}

/** Inside a class only an unescaped hyphen has a meaning. */
function escapeMember(_: string, escaped: string | undefined, plain: string | undefined): string {
  if (plain === '-') return '-';
  return literal(escaped ?? plain ?? '');
}

function literal(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
