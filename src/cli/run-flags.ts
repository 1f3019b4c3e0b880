import { detachKeysFlag } from './detach-keys-flag.ts';
import { FlagError, booleanFlag, integerFlag, listFlag, stringFlag } from './flags.ts';
import type { Flag, FlagValues } from './flags.ts';
import { insecureRegistryFlag, platformFlag } from './network-flags.ts';
import { offlineFlag } from './offline.ts';

// Not an interface: as a type alias it counts as a Record.
type RunFlags = {
  'add-host': Flag<readonly string[]>;
  'cap-add': Flag<readonly string[]>;
  'cap-drop': Flag<readonly string[]>;
  cidfile: Flag<string | undefined>;
  'cpu-shares': Flag<number | undefined>;
  cpus: Flag<string | undefined>;
  'cpuset-cpus': Flag<string | undefined>;
  'detach-keys': Flag<string | undefined>;
  device: Flag<readonly string[]>;
  domainname: Flag<string | undefined>;
  dns: Flag<readonly string[]>;
  'dns-option': Flag<readonly string[]>;
  'dns-search': Flag<readonly string[]>;
  entrypoint: Flag<string | undefined>;
  env: Flag<readonly string[]>;
  'env-file': Flag<readonly string[]>;
  'group-add': Flag<readonly string[]>;
  hostname: Flag<string | undefined>;
  init: Flag<boolean>;
  'insecure-registry': Flag<readonly string[]>;
  interactive: Flag<boolean>;
  ipc: Flag<string | undefined>;
  label: Flag<readonly string[]>;
  memory: Flag<string | undefined>;
  'memory-swap': Flag<string | undefined>;
  mount: Flag<readonly string[]>;
  name: Flag<string | undefined>;
  network: Flag<string | undefined>;
  offline: Flag<boolean | undefined>;
  'oom-score-adj': Flag<number | undefined>;
  pid: Flag<string | undefined>;
  'pids-limit': Flag<number | undefined>;
  platform: Flag<string | undefined>;
  privileged: Flag<boolean>;
  publish: Flag<readonly string[]>;
  'publish-all': Flag<boolean>;
  pull: Flag<string | undefined>;
  quiet: Flag<boolean>;
  'read-only': Flag<boolean>;
  rm: Flag<boolean>;
  runtime: Flag<string | undefined>;
  'security-opt': Flag<readonly string[]>;
  'shm-size': Flag<string | undefined>;
  'stop-signal': Flag<string | undefined>;
  'stop-timeout': Flag<number | undefined>;
  sysctl: Flag<readonly string[]>;
  tmpfs: Flag<readonly string[]>;
  tty: Flag<boolean>;
  ulimit: Flag<readonly string[]>;
  user: Flag<string | undefined>;
  userns: Flag<string | undefined>;
  volume: Flag<readonly string[]>;
  workdir: Flag<string | undefined>;
};

/** The flags of `run`, in docker's words. */
export const runFlags: RunFlags = {
  'add-host': listFlag({ about: 'Add a custom host-to-IP mapping (host:ip)' }),
  'cap-add': listFlag({ about: 'Add Linux capabilities' }),
  'cap-drop': listFlag({ about: 'Drop Linux capabilities' }),
  cidfile: stringFlag({ about: 'Write the container ID to the file' }),
  'cpu-shares': integerFlag({ short: 'c', about: 'CPU shares (relative weight)', least: 0 }),
  cpus: stringFlag({ about: 'Number of CPUs', placeholder: 'decimal' }),
  'cpuset-cpus': stringFlag({ about: 'CPUs in which to allow execution (0-3, 0,1)' }),
  'detach-keys': detachKeysFlag,
  device: listFlag({ about: 'Add a host device to the container' }),
  domainname: stringFlag({ about: 'Container NIS domain name' }),
  dns: listFlag({ about: 'Set custom DNS servers' }),
  'dns-option': listFlag({ about: 'Set DNS options', alias: 'dns-opt' }),
  'dns-search': listFlag({ about: 'Set custom DNS search domains' }),
  entrypoint: stringFlag({ about: 'Overwrite the default ENTRYPOINT of the image' }),
  env: listFlag({ short: 'e', about: 'Set environment variables', check: checkVariable }),
  'env-file': listFlag({ about: 'Read in a file of environment variables' }),
  'group-add': listFlag({ about: 'Add additional groups to join' }),
  hostname: stringFlag({ short: 'h', about: 'Container host name' }),
  init: booleanFlag({ about: 'Run an init inside the container that forwards signals and reaps processes' }),
  'insecure-registry': insecureRegistryFlag,
  interactive: booleanFlag({ short: 'i', about: "Connect the container's stdin" }),
  ipc: stringFlag({ about: 'IPC mode to use ("private", "host")' }),
  label: listFlag({ short: 'l', about: 'Set meta data on a container', check: checkLabel }),
  memory: stringFlag({ short: 'm', about: 'Memory limit', placeholder: 'bytes' }),
  'memory-swap': stringFlag({
    about: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    placeholder: 'bytes',
  }),
  mount: listFlag({ about: 'Attach a filesystem mount to the container', placeholder: 'mount' }),
  name: stringFlag({ about: 'Assign a name to the container' }),
  network: stringFlag({
    about: 'Connect a container to a network ("host", "none", "private") (default "host", with -p and -P "private")',
    alias: 'net',
  }),
  offline: offlineFlag,
  'oom-score-adj': integerFlag({
    about: "Tune host's OOM preferences (-1000 to 1000)",
    least: Number.MIN_SAFE_INTEGER,
  }),
  pid: stringFlag({ about: 'PID namespace to use ("private", "host")' }),
  'pids-limit': integerFlag({ about: 'Tune container pids limit (set -1 for unlimited)', least: -1 }),
  platform: platformFlag,
  privileged: booleanFlag({ about: 'Give extended privileges to this container' }),
  publish: listFlag({ short: 'p', about: "Publish a container's port(s) to the host" }),
  'publish-all': booleanFlag({ short: 'P', about: 'Publish all exposed ports to random ports' }),
  pull: stringFlag({ about: 'Pull image before running ("always", "missing", "never") (default "missing")' }),
  quiet: booleanFlag({ short: 'q', about: 'Suppress the pull output' }),
  'read-only': booleanFlag({ about: "Mount the container's root filesystem as read only" }),
  rm: booleanFlag({ about: 'Automatically remove the container when it exits' }),
  runtime: stringFlag({ about: 'Runtime to use for this container ("mydocker", "runc", "crun" or a path)' }),
  'security-opt': listFlag({ about: 'Security options (no-new-privileges, seccomp=, systempaths=unconfined)' }),
  'shm-size': stringFlag({ about: 'Size of /dev/shm', placeholder: 'bytes' }),
  'stop-signal': stringFlag({ about: 'Signal to stop the container' }),
  'stop-timeout': integerFlag({ about: 'Timeout (in seconds) to stop a container', least: -1 }),
  sysctl: listFlag({ about: 'Sysctl options' }),
  tmpfs: listFlag({ about: 'Mount a tmpfs directory' }),
  tty: booleanFlag({ short: 't', about: 'Allocate a pseudo-TTY' }),
  ulimit: listFlag({ about: 'Ulimit options', placeholder: 'ulimit' }),
  user: stringFlag({ short: 'u', about: 'Username or UID (format: <name|uid>[:<group|gid>])' }),
  userns: stringFlag({ about: 'User namespace to use ("host", "keep-id[:uid=N,gid=N]")' }),
  volume: listFlag({ short: 'v', about: 'Bind mount a volume' }),
  workdir: stringFlag({ short: 'w', about: 'Working directory inside the container' }),
};

export type RunFlagValues = FlagValues<RunFlags>;

function checkVariable(text: string): void {
  if (text === '' || text.startsWith('=')) throw new FlagError(`invalid environment variable: ${text}`);
}

function checkLabel(text: string): void {
  const [key = ''] = text.split('=');
  if (key.trimStart() === '') throw new FlagError(`invalid label '${text}': empty name`);
  if (/\s/.test(key)) throw new FlagError(`label '${key}' contains whitespaces`);
}
