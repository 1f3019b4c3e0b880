import fs from 'node:fs';

/**
 * Where something is mounted at `folder` or below it, as this process sees it. `folder` has no symlink in it.
 * Source: proc_pid_mountinfo(5), field 5.
 */
export function mountsInside(folder: string): string[] {
  const inside = `${folder}/`;
  const points: string[] = [];
  for (const line of fs.readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const point = Buffer.from(unescapeOctal(line.split(' ', 5)[4] ?? ''), 'latin1').toString();
    if (point === folder || point.startsWith(inside)) points.push(point);
  }
  return points;
}

// Space, tab, newline and backslash stand there as \040 and so on.
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
