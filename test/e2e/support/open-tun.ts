import type { CallOptions, CliHome } from './cli-home.ts';

/**
 * Has the CLI find a /dev/net/tun that is open to everybody, as it is where a distribution has set it up, whatever this machine has. Root
 * gets the machine's own.
 */
export function withOpenTun({ uid, gid }: Pick<CliHome, 'uid' | 'gid'>): CallOptions {
  if (uid === 0) return {};
  const script =
    'mount -t tmpfs tmpfs /dev/net && mknod /dev/net/tun c 10 200 && chmod 666 /dev/net/tun && ' +
    `exec setpriv --reuid=${uid} --regid=${gid} --clear-groups -- "$@"`;
  return { prefix: ['unshare', '--mount', 'sh', '-c', script, 'sh'], prefixAsRoot: true };
}
