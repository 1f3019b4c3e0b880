import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { mountTarget } from './mount-target.ts';

/** A device of the host in the container. Both paths are absolute. */
export interface DeviceRequest {
  source: string;
  target: string;
}

/**
 * Reads one `--device`: `HOST[:CONTAINER][:rwm]`. Less than rw cannot be enforced without a control group for devices, and is
 * refused; whether m is there makes no difference, as devices that a container makes do not work.
 * @throws {ToolError} ERR_USAGE
 */
export function parseDevice(text: string): DeviceRequest {
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const access = parts.length > 1 && /^[rwm]+$/.test(last) ? parts.pop() : 'rwm';
  const [source = '', target = source] = parts;
  if (parts.length > 2 || !source.startsWith('/'))
    throw invalid(text, `HOST[:CONTAINER][:rwm] with absolute paths was wanted`);
  if (!/r/.test(access ?? '') || !/w/.test(access ?? '')) {
    throw invalid(text, `access "${access}" cannot be enforced, rw or rwm was wanted`);
  }
  return { source, target: mountTarget(text, target) };
}

function invalid(text: string, reason: string): ToolError {
  return new ToolError('ERR_USAGE', `Cannot use device "${printable(text)}": ${reason}`);
}
