import { posix } from 'node:path';
import { ToolError } from '../errors.ts';
import { MOUNT_ATTR } from '../linux/mount-flags.ts';
import { printable } from '../printable.ts';
import { mountTarget } from './mount-target.ts';
import { parseSize } from './parse-size.ts';
import type { VolumeRequest } from './parse-volume.ts';
import type { UserMount } from './steps/volumes.ts';

export type MountRequest = { volume: VolumeRequest } | { tmpfs: UserMount & { kind: 'tmpfs' } };

/**
 * Reads one `--mount` by docker's rules: `type=bind|tmpfs|volume,source=…,target=…[,readonly]`, a row of comma-separated values.
 * @param currentFolder what a source that starts with a dot is relative to; absolute
 * @throws {ToolError} ERR_USAGE; ERR_UNSUPPORTED for what this engine has not
 */
export function parseMount(text: string, currentFolder: string): MountRequest {
  const fields = new Map<Key, string>();
  for (const field of splitRow(text)) {
    const equals = field.indexOf('=');
    const name = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    const key = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
    if (equals === -1 && key !== 'readonly') throw invalid(text, `invalid field '${field}' must be a key=value pair`);
    if (key === undefined) throw invalid(text, `unexpected key '${name}' in '${field}'`);
    fields.set(key, equals === -1 ? 'true' : field.slice(equals + 1));
  }
  const target = fields.get('target') ?? '';
  if (target === '') throw invalid(text, 'target is required');
  const readOnly = readBoolean(text, fields.get('readonly') ?? 'false');
  const type = (fields.get('type') ?? 'volume').toLowerCase();
  checkKeys(text, type, fields);
  const mount = { text, fields, target: mountTarget(text, target), readOnly };
  if (type === 'tmpfs') return { tmpfs: tmpfsOf(mount) };
  return { volume: type === 'bind' ? bindOf(mount, currentFolder) : anonymousOf(mount) };
}

type Key = 'type' | 'source' | 'target' | 'readonly' | 'bind-propagation' | 'consistency' | 'tmpfs-size' | 'tmpfs-mode';

const KEYS: Readonly<Record<string, Key>> = {
  type: 'type',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  'bind-propagation': 'bind-propagation',
  consistency: 'consistency', // has no effect but on macOS
  'tmpfs-size': 'tmpfs-size',
  'tmpfs-mode': 'tmpfs-mode',
};

const TYPES = ['bind', 'tmpfs', 'volume'];

function checkKeys(text: string, type: string, fields: ReadonlyMap<Key, string>): void {
  if (!TYPES.includes(type)) throw invalid(text, `mount type unknown: "${type}"`);
  for (const [key] of fields) {
    const of = key.startsWith('bind-') ? 'bind' : key.startsWith('tmpfs-') ? 'tmpfs' : type;
    if (of !== type) throw invalid(text, `cannot mix '${of}-*' options with mount type '${type}'`);
  }
  const propagation = fields.get('bind-propagation') ?? 'rprivate';
  if (propagation === 'private' || propagation === 'rprivate') return;
  throw new ToolError(
    'ERR_UNSUPPORTED',
    `Cannot mount "${printable(text)}": bind-propagation is always rprivate here, not "${printable(propagation)}"`,
  );
}

interface Mount {
  text: string;
  fields: ReadonlyMap<Key, string>;
  target: string;
  readOnly: boolean;
}

function bindOf({ text, fields, target, readOnly }: Mount, currentFolder: string): VolumeRequest {
  const source = fields.get('source') ?? '';
  const bad = (reason: string): ToolError => invalid(text, `invalid mount config for type "bind": ${reason}`);
  if (source === '') throw bad('field Source must not be empty');
  if (source.includes('\0')) throw bad('field Source contains a NUL');
  const path = /^\.\.?(\/|$)/.test(source) ? posix.resolve(currentFolder, source) : posix.normalize(source);
  if (!path.startsWith('/')) throw bad(`invalid mount path: '${source}' mount path must be absolute`);
  return { source: path, target, readOnly, mustExist: true };
}

/** Without a source: what VOLUME of an image is. */
function anonymousOf({ text, fields, target, readOnly }: Mount): VolumeRequest {
  if ((fields.get('source') ?? '') === '') return { target, readOnly };
  throw new ToolError(
    'ERR_UNSUPPORTED',
    `Cannot mount "${printable(text)}": volumes with a name are not supported yet`,
    { hint: 'For a folder of the host add type=bind.' },
  );
}

function tmpfsOf({ text, fields, target, readOnly }: Mount): UserMount & { kind: 'tmpfs' } {
  if (fields.has('source'))
    throw invalid(text, 'invalid mount config for type "tmpfs": field Source must not be specified');
  const { NOSUID, NODEV, NOEXEC, RDONLY } = MOUNT_ATTR;
  const options: [string, string][] = [];
  const [size, mode] = [fields.get('tmpfs-size'), fields.get('tmpfs-mode')];
  if (size !== undefined) options.push(['size', String(parseSize(size, 'tmpfs-size'))]);
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode)) throw invalid(text, `invalid value for tmpfs-mode: ${mode}`);
  if (mode !== undefined) options.push(['mode', mode]);
  return { kind: 'tmpfs', target, attributes: NOSUID | NODEV | NOEXEC | (readOnly ? RDONLY : 0), options };
}

function readBoolean(text: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(text, `invalid value for readonly: ${value}`);
}

const FIELD = '(?:"((?:[^"]|"")*)"|([^",]*))';

/** RFC 4180: a field in quotes may hold commas, and quotes that are doubled. */
function splitRow(text: string): string[] {
  if (!new RegExp(`^${FIELD}(?:,${FIELD})*$`).test(text))
    throw invalid(text, 'parse error: a quote that does not belong');
  const fields = text.matchAll(new RegExp(`(?:^|,)${FIELD}`, 'g'));
  return Array.from(fields, ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain);
}

function invalid(text: string, reason: string): ToolError {
  return new ToolError('ERR_USAGE', `invalid argument "${printable(text)}" for "--mount" flag: ${printable(reason)}`);
}
