import type { OciConfig } from './oci-config.ts';

/** The text of a config.json. JSON.stringify refuses bigints, which are numbers of 64 bits here. */
export function encodeConfig(config: OciConfig): string {
  return encode(config);
}

function encode(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${encode(field)}`).join(',')}}`;
}
