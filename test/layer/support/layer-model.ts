/**
 * What a chain of layers means, in memory and as simply as it can be said: the OCI layer specification, with whiteouts that speak of
 * the layers below alone, wherever they stand in the archive.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets
 */

export interface ModelAttributes {
  mode: number;
  uid: number;
  gid: number;
  /** Seconds. */
  mtime: number;
  /** Value of the attribute `user.a`. */
  xattr?: string | undefined;
}

/** Text is latin1, paths and targets are as in the archive. */
export type ModelEntry = { path: string } & (
  | ({ kind: 'file'; content: string } & ModelAttributes)
  | ({ kind: 'folder' } & ModelAttributes)
  | ({ kind: 'fifo' } & ModelAttributes)
  | ({ kind: 'symlink'; target: string } & Omit<ModelAttributes, 'mode'>)
  | { kind: 'hardlink'; target: string }
  | ({ kind: 'device' } & ModelAttributes)
  | { kind: 'whiteout' }
  | { kind: 'opaque' }
);

interface Inode {
  line: string;
  xattrs: string;
}

type Folder = { kind: 'folder'; line: string | undefined; children: Map<string, Node> };
type Node = Folder | { kind: 'file' | 'symlink' | 'fifo' | 'device'; inode: Inode; target?: string };

/** The first entry that makes a layer one to be refused. */
export interface Refused {
  layer: number;
  entry: number;
}

class ModelRefusal extends Error {}

export type Tree = Record<string, string>;

const UNKNOWN_FOLDER = 'D 0755 0:0 0'; // nobody has said anything of it

/** The merged tree as readTree would list it, or where it is refused. */
export function applyModel(layers: readonly (readonly ModelEntry[])[]): { tree: Tree } | { refused: Refused } {
  let merged = newFolder(UNKNOWN_FOLDER);
  for (const [layer, entries] of layers.entries()) {
    const below = withoutMarked(merged, entries);
    const root = newFolder(UNKNOWN_FOLDER);
    for (const [entry, content] of entries.entries()) {
      try {
        applyEntry(root, below, content);
      } catch (error) {
        if (error instanceof ModelRefusal) return { refused: { layer, entry } };
        throw error;
      }
    }
    merged = merge(root, below);
  }
  return { tree: list(merged) };
}

function newFolder(line: string | undefined): Folder {
  return { kind: 'folder', line, children: new Map() };
}

/** The layers below without what the markers of a layer take away. A marker that leads out of the root is refused later. */
function withoutMarked(below: Folder, entries: readonly ModelEntry[]): Folder {
  const left = structuredClone(below);
  for (const { kind, path } of entries) {
    if (leadsOut(path)) continue;
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

/** One entry of the layer alone, which has `root` so far. */
function applyEntry(root: Folder, below: Folder, entry: ModelEntry): void {
  if (leadsOut(entry.path)) throw new ModelRefusal(entry.path);
  if (entry.kind === 'whiteout' || entry.kind === 'opaque') return;
  if (namesOf(entry.path).length === 0) {
    if (entry.kind !== 'folder') throw new ModelRefusal(entry.path);
    return; // the root stays as it is
  }
  const place = enter(root, parentOf(entry.path), 'make');
  const name = nameOf(entry.path);
  const path = [...place.path, name];
  if (entry.kind === 'hardlink') place.folder!.children.set(name, link({ root, below, path, target: entry.target }));
  else place.folder!.children.set(name, newNode(entry, place.folder!.children.get(name)));
}

function newNode(
  entry: Exclude<ModelEntry, { kind: 'hardlink' | 'whiteout' | 'opaque' }>,
  existing: Node | undefined,
): Node {
  const { uid, gid, mtime, xattr } = entry;
  const mode = (entry.kind === 'symlink' ? 0o777 : entry.mode).toString(8).padStart(4, '0');
  const attributes = `${mode} ${uid}:${gid} ${mtime}`;
  const xattrs = xattr === undefined ? '' : ` user.a=${xattr}`;
  switch (entry.kind) {
    case 'file':
      return { kind: 'file', inode: { line: `F ${attributes} ${JSON.stringify(entry.content)}`, xattrs } };
    case 'fifo':
      return { kind: 'fifo', inode: { line: `P ${attributes}`, xattrs: '' } }; // these cannot have any, nor symlinks
    case 'device':
      return { kind: 'device', inode: { line: '', xattrs: '' } }; // is not listed, but hides what is below
    case 'symlink':
      return {
        kind: 'symlink',
        target: entry.target,
        inode: { line: `S ${attributes} -> ${entry.target}`, xattrs: '' },
      };
    case 'folder':
      return { ...(existing?.kind === 'folder' ? existing : newFolder('')), line: `D ${attributes}${xattrs}` };
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
  if (leadsOut(target) || namesOf(target).length === 0) throw new ModelRefusal(target);
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
    if (node !== undefined && node.kind !== 'folder' && node.kind !== 'symlink') throw new ModelRefusal(path);
    if (node?.kind !== 'symlink') {
      if (node === undefined && name.startsWith('.wh.')) throw new ModelRefusal(path);
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
  const tree = Object.create(null) as Tree; // a file may be called __proto__
  const paths = new Map<Inode, string[]>();
  const visit = (folder: Folder, prefix: string): void => {
    for (const [name, node] of [...folder.children].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (node.kind === 'device') continue;
      tree[prefix + name] = node.kind === 'folder' ? node.line! : node.inode.line + node.inode.xattrs;
      if (node.kind === 'folder') visit(node, `${prefix}${name}/`);
      else paths.set(node.inode, [...(paths.get(node.inode) ?? []), prefix + name]);
    }
  };
  visit(root, '');
  const groups = [...paths].filter(([, names]) => names.length > 1);
  for (const [index, [{ line, xattrs }, names]] of groups.entries()) {
    for (const path of names) tree[path] = `${line} #${index + 1}${xattrs}`;
  }
  return tree;
}

/** Without `.` and `..`, which are taken by name. */
function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

/** Whether it climbs above the root on its way. */
function leadsOut(path: string): boolean {
  let depth = 0;
  for (const name of path.split('/')) {
    if (name === '..') depth -= 1;
    else if (name !== '' && name !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

function parentOf(path: string): string {
  return namesOf(path).slice(0, -1).join('/');
}

function nameOf(path: string): string {
  return namesOf(path).at(-1)!;
}
