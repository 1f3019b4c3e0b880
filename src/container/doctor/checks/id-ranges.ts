import { noIdsObstacle, powerlessIdMapToolsObstacle } from '../../../linux/obstacles.ts';
import type { IdRange } from '../../../linux/ownership.ts';
import { allSubordinateIds, parseSubordinateIds } from '../../../linux/subordinate-ids.ts';
import type { OwnedRange } from '../../../linux/subordinate-ids.ts';
import { printable } from '../../../printable.ts';
import { note, obstructed, ok } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'host' | 'sources' | 'idMapTools'> & {
  trials: Pick<MachineFacts['trials'], 'userNamespace'>;
};

/** Which ids a container of this user has: those of /etc/subuid and /etc/subgid, if newuidmap and newgidmap can hand them out. */
export function checkIdRanges(facts: Facts): HostFinding[] {
  const { host } = facts;
  if (host.ownership.kind === 'root') return [ok('subordinate ids', 'not needed: this is root')];
  if (host.ownership.kind === 'single') {
    const { mappingObstacle } = host;
    if (mappingObstacle === undefined) return [];
    return [obstructed('subordinate ids', mappingObstacle, { state: 'note', meaning: ONE_ID })];
  }
  // Root of a container hands on the ids that it has, and needs nobody for that.
  if (host.uid === 0) return [ok('subordinate ids', `those of this user namespace, ${count(host.ownership.uids)}`)];
  return [...tools(facts), ...ranges(facts, host.ownership), ...overlaps(facts)];
}

const ONE_ID = "containers have one user, root, and it is you; an image's other users cannot be had";

/** Only where the maps could not be written: rights may come from elsewhere. */
function tools({ host, idMapTools, trials }: Facts): HostFinding[] {
  if (trials.userNamespace === undefined) return [];
  const powerless = idMapTools.flatMap(({ path, hasPrivileges }) =>
    path === undefined || hasPrivileges ? [] : [path],
  );
  return powerless.length === 0
    ? []
    : [obstructed('subordinate ids', powerlessIdMapToolsObstacle(powerless, host.uid))];
}

const ENOUGH = 65_536; // what images count on: nobody is 65534

function ranges({ host, sources }: Facts, { uids, gids }: Record<'uids' | 'gids', readonly IdRange[]>): HostFinding[] {
  const small = [...(count(uids) < ENOUGH ? ['/etc/subuid'] : []), ...(count(gids) < ENOUGH ? ['/etc/subgid'] : [])];
  const found = `${count(uids) - 1} users and ${count(gids) - 1} groups`;
  if (small.length === 0) return [ok('subordinate ids', found)];
  const { remedy } = noIdsObstacle({ uid: host.uid, name: sources.userName, ...sources, missing: small });
  return [note('subordinate ids', found, { meaning: 'images with higher ids cannot be unpacked or run', remedy })];
}

function count(ranges: readonly IdRange[]): number {
  let sum = 0;
  for (const range of ranges) sum += range.count;
  return sum;
}

function overlaps({ host, sources }: Facts): HostFinding[] {
  const user = { name: sources.userName, uid: host.uid };
  return (['subuid', 'subgid'] as const).flatMap((file) => {
    const own = parseSubordinateIds(sources[file], user);
    const isOwn = ({ owner }: OwnedRange): boolean => owner === user.name || owner === String(user.uid);
    const shared = allSubordinateIds(sources[file]).find(
      (other) =>
        !isOwn(other) &&
        own.some(({ start, count: size }) => start < other.start + other.count && other.start < start + size),
    );
    if (shared === undefined) return [];
    const owner = printable(shared.owner);
    return [
      note('subordinate ids', `/etc/${file} grants ids to this user that ${owner} has as well`, {
        meaning: `containers of ${owner} can change the files of yours`,
        remedy: `give one of both another range in /etc/${file}`,
      }),
    ];
  });
}
