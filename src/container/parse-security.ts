import { resolve } from 'node:path';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';

/** What `--security-opt` says. */
export interface SecurityOptions {
  /** Docker's profile, none, or the absolute path of one in docker's JSON form. */
  seccomp: 'default' | 'unconfined' | { path: string };
  /** setuid programs and file capabilities give nothing. */
  noNewPrivileges: boolean;
  /** Whether what docker hides and protects in /proc and /sys is left as the kernel shows it. */
  systemPaths: 'protected' | 'unconfined';
}

export const DEFAULT_SECURITY: SecurityOptions = {
  seccomp: 'default',
  noNewPrivileges: false,
  systemPaths: 'protected',
};

/** Of a privileged container. */
export const PRIVILEGED_SECURITY: SecurityOptions = {
  seccomp: 'unconfined',
  noNewPrivileges: false,
  systemPaths: 'unconfined',
};

/**
 * Reads the values of `--security-opt`, in docker's words; the last of a kind counts. `defaults` holds for what is not given.
 * @throws {ToolError} ERR_USAGE for what is no such option, or what this engine does not have (AppArmor, SELinux labels)
 */
export function parseSecurity(
  options: readonly string[],
  defaults: SecurityOptions = DEFAULT_SECURITY,
): SecurityOptions {
  const security = { ...defaults };
  for (const option of options) {
    const [, key = option, value = ''] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    if (key === 'no-new-privileges') security.noNewPrivileges = parseSwitch(value, option);
    else if (key === 'seccomp' && value !== '') security.seccomp = parseSeccomp(value);
    else if (option === 'systempaths=unconfined') security.systemPaths = 'unconfined';
    else throw invalid(option);
  }
  return security;
}

function parseSwitch(value: string, option: string): boolean {
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw invalid(option);
}

function parseSeccomp(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return value;
  return value === 'builtin' ? 'default' : { path: resolve(value) };
}

function invalid(option: string): ToolError {
  return new ToolError('ERR_USAGE', `invalid --security-opt: "${printable(option)}"`, {
    hint: 'There are no-new-privileges[=false], seccomp=<file of a profile>, seccomp=unconfined, seccomp=builtin and systempaths=unconfined.',
  });
}
