/**
 * What a chain of layers means, in memory and as simply as it can be said: the OCI layer specification, with whiteouts that speak of
 * the layers below alone, wherever they stand in the archive.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets
 */

export type ModelEntry =
  | { kind: 'file'; path: string; content: string; mode: number }
  | { kind: 'folder'; path: string; mode: number }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'hardlink'; path: string; target: string }
  | { kind: 'whiteout'; path: string }
  | { kind: 'opaque'; path: string };

interface Inode {
  line: string;
}

type Folder = { kind: 'folder'; line: string | undefined; children: Map<string, Node> };
type Node = Folder | { kind: 'file' | 'symlink'; inode: Inode; target?: string };

/** Thrown for a layer that has to be refused. */
export class ModelRefusal extends Error {}

const TIME = 1_700_000_000;
const UNKNOWN_FOLDER = 'D 0755 0:0 0'; // nobody has said anything of it

/** The merged tree as readTree would list it, or 'refused'. */
export function applyModel(layers: readonly (readonly ModelEntry[])[]): Record<string, string> | 'refused' {
  let merged = newFolder(UNKNOWN_FOLDER);
  try {
    for (const entries of layers)
      merged = merge(applyEntries(entries, withoutMarked(merged, entries)), withoutMarked(merged, entries));
  } catch (error) {
    if (error instanceof ModelRefusal) return 'refused';
    throw error;
  }
  return list(merged);
}

function newFolder(line: string | undefined): Folder {
  return { kind: 'folder', line, children: new Map() };
}

/** The layers below without what the markers of a layer take away. */
function withoutMarked(below: Folder, entries: readonly ModelEntry[]): Folder {
  const left = structuredClone(below);
  for (const { kind, path } of entries) {
    if (kind === 'whiteout') lookUp(left, parentOf(path))?.children.delete(nameOf(path));
    if (kind === 'opaque') lookUp(left, path)?.children.clear();
  }
  return left;
}

/** A folder by its path, without following anything. */
function lookUp(root: Folder, path: string): Folder | undefined {
  let current: Node | undefined = root;
  for (const name of namesOf(path)) current = current?.kind === 'folder' ? current.children.get(name) : undefined;
  return current?.kind === 'folder' ? current : undefined;
}

/** The layer alone. */
function applyEntries(entries: readonly ModelEntry[], below: Folder): Folder {
  const root = newFolder(UNKNOWN_FOLDER);
  for (const entry of entries) {
    if (entry.kind === 'whiteout' || entry.kind === 'opaque') continue;
    const place = enter(root, parentOf(entry.path), 'make');
    const name = nameOf(entry.path);
    const path = [...place.path, name];
    if (entry.kind === 'hardlink') place.folder!.children.set(name, link({ root, below, path, target: entry.target }));
    else place.folder!.children.set(name, newNode(entry, place.folder!.children.get(name)));
  }
  return root;
}

function newNode(
  entry: Exclude<ModelEntry, { kind: 'hardlink' | 'whiteout' | 'opaque' }>,
  existing: Node | undefined,
): Node {
  switch (entry.kind) {
    case 'file':
      return { kind: 'file', inode: { line: `F ${octal(entry.mode)} 0:0 ${TIME} ${JSON.stringify(entry.content)}` } };
    case 'symlink':
      return { kind: 'symlink', target: entry.target, inode: { line: `S 0777 0:0 ${TIME} -> ${entry.target}` } };
    case 'folder':
      return {
        ...(existing?.kind === 'folder' ? existing : newFolder('')),
        line: `D ${octal(entry.mode)} 0:0 ${TIME}`,
      };
  }
}

interface Link {
  root: Folder;
  below: Folder;
  /** Names of the new path, without symlinks. */
  path: string[];
  target: string;
}

/** The file that a hard link is another name of; one of the layers below is copied first. */
function link({ root, below, path, target }: Link): Node {
  const place = enter(root, parentOf(target), 'look');
  const targetPath = [...place.path, nameOf(target)];
  // To itself, or to what it would replace.
  if (path.every((name, index) => targetPath[index] === name)) throw new ModelRefusal(target);
  const node = place.folder?.children.get(nameOf(target)) ?? copyUp({ root, below, path: targetPath });
  if (node.kind === 'folder') throw new ModelRefusal(target);
  return node;
}

function copyUp({ root, below, path }: Omit<Link, 'target'>): Node {
  const found = lookUp(below, path.slice(0, -1).join('/'))?.children.get(path.at(-1)!);
  if (found?.kind !== 'file') throw new ModelRefusal(path.join('/'));
  const copy: Node = { kind: 'file', inode: { ...found.inode } };
  enter(root, path.slice(0, -1).join('/'), 'make').folder!.children.set(path.at(-1)!, copy);
  return copy;
}

/** Goes to a folder of the layer through the symlinks of the layer. */
function enter(root: Folder, path: string, mode: 'make' | 'look'): { folder: Folder | undefined; path: string[] } {
  const names = path.split('/').toReversed();
  let current: string[] = [];
  for (let links = 0; names.length > 0;) {
    const name = names.pop()!;
    if (name === '' || name === '.') continue;
    const next = name === '..' ? current.slice(0, -1) : [...current, name];
    const parent = lookUp(root, next.slice(0, -1).join('/'));
    const node = next.length === 0 ? root : parent?.children.get(next.at(-1)!);
    if (node?.kind === 'file') throw new ModelRefusal(path);
    if (node?.kind !== 'symlink') {
      if (node === undefined && mode === 'make') parent!.children.set(next.at(-1)!, newFolder(undefined));
      current = next;
      continue;
    }
    links += 1;
    if (links > 255) throw new ModelRefusal(path);
    if (node.target!.startsWith('/')) current = [];
    names.push(...node.target!.split('/').toReversed());
  }
  return { folder: lookUp(root, current.join('/')), path: current };
}

function merge(upper: Folder, lower: Folder): Folder {
  const merged = newFolder(upper.line ?? lower.line);
  for (const [name, node] of lower.children) merged.children.set(name, node);
  for (const [name, node] of upper.children) {
    const below = lower.children.get(name);
    const base = below?.kind === 'folder' ? below : newFolder(UNKNOWN_FOLDER);
    merged.children.set(name, node.kind === 'folder' ? merge(node, base) : node);
  }
  return merged;
}

function list(root: Folder): Record<string, string> {
  const tree: Record<string, string> = {};
  const paths = new Map<Inode, string[]>();
  const visit = (folder: Folder, prefix: string): void => {
    for (const [name, node] of [...folder.children].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      tree[prefix + name] = node.kind === 'folder' ? node.line! : node.inode.line;
      if (node.kind === 'folder') visit(node, `${prefix}${name}/`);
      else paths.set(node.inode, [...(paths.get(node.inode) ?? []), prefix + name]);
    }
  };
  visit(root, '');
  const groups = [...paths.values()].filter(({ length }) => length > 1);
  for (const [index, group] of groups.entries()) for (const path of group) tree[path] += ` #${index + 1}`;
  return tree;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function parentOf(path: string): string {
  return namesOf(path).slice(0, -1).join('/');
}

function nameOf(path: string): string {
  return namesOf(path).at(-1)!;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
