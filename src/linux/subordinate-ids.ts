/** A range of ids that /etc/subuid or /etc/subgid grants to a user: subuid(5). */
export interface SubordinateRange {
  start: number;
  count: number;
}

const MAX_ID = 0xffff_fffe; // 0xffffffff means "no id"

/**
 * The ranges of one user in a file of lines `<name or uid>:<start>:<count>`, in its order. Lines that do not have that form are
 * left out, as newuidmap does.
 */
export function parseSubordinateIds(text: string, user: { name: string | undefined; uid: number }): SubordinateRange[] {
  const ranges: SubordinateRange[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:]+):(\d{1,10}):(\d{1,10})$/.exec(line.trim());
    if (match === null || (match[1] !== user.name && match[1] !== String(user.uid))) continue;
    const [start, count] = [Number(match[2]), Number(match[3])];
    if (count > 0 && start + count - 1 <= MAX_ID) ranges.push({ start, count });
  }
  return ranges;
}

/** The name of a user in the text of /etc/passwd. */
export function parseUserName(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , id] = line.split(':');
    if (id === String(uid)) return name;
  }
  return undefined;
}
