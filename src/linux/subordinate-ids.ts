/** A range of ids that /etc/subuid or /etc/subgid grants to a user: subuid(5). */
export interface SubordinateRange {
  start: number;
  count: number;
}

const MAX_ID = 0xffff_fffe; // 0xffffffff means "no id"
const LINE = /^([^:]+):(\d{1,10}):(\d{1,10})$/;

/**
 * The ranges of one user in a file of lines `<name or uid>:<start>:<count>`, in its order. Lines that do not have that form are
 * left out, as newuidmap does.
 */
export function parseSubordinateIds(text: string, user: { name: string | undefined; uid: number }): SubordinateRange[] {
  const ranges: SubordinateRange[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line.trim());
    if (match === null || (match[1] !== user.name && match[1] !== String(user.uid))) continue;
    const [start, count] = [Number(match[2]), Number(match[3])];
    if (count > 0 && start + count - 1 <= MAX_ID) ranges.push({ start, count });
  }
  return ranges;
}

/** Who has a range in a file of that form. */
export interface OwnedRange extends SubordinateRange {
  /** Name or uid, as it stands there: anything. */
  owner: string;
}

/** The ranges of all users. */
export function allSubordinateIds(text: string): OwnedRange[] {
  return text.split('\n').flatMap((line): OwnedRange[] => {
    const match = LINE.exec(line.trim());
    return match === null ? [] : [{ owner: match[1] ?? '', start: Number(match[2]), count: Number(match[3]) }];
  });
}

/** Ids that none of the files grants to anybody, as useradd would choose them; the same for users and groups. */
export function nextFreeRange(texts: readonly string[]): SubordinateRange {
  const taken = texts.flatMap(allSubordinateIds).toSorted((one, other) => one.start - other.start);
  let start = FIRST_ID;
  for (const range of taken) {
    if (range.start < start + COUNT && start < range.start + range.count) start = range.start + range.count;
  }
  return { start, count: COUNT };
}

const FIRST_ID = 100_000; // SUB_UID_MIN and SUB_UID_COUNT of login.defs(5)
const COUNT = 65_536;

/** The name of a user in the text of /etc/passwd. */
export function parseUserName(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , id] = line.split(':');
    if (id === String(uid)) return name;
  }
  return undefined;
}
