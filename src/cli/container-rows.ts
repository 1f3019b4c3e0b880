import type { ContainerSummary } from '../container/list-containers.ts';
import { printable } from '../printable.ts';
import { ellipsis } from './display-width.ts';
import { makeStruct } from './go-template/value.ts';
import type { StructValue } from './go-template/value.ts';
import { goQuote } from './go-quote.ts';
import { goTime } from './go-time.ts';
import { portsText } from './ports-text.ts';
import { humanDuration } from './human-duration.ts';

export const CONTAINER_TITLES: Readonly<Record<string, string>> = {
  ID: 'CONTAINER ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
};

export interface ContainerRowOptions {
  /** Whole IDs and commands. */
  noTrunc: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

const SHORT_ID = 12; // hex digits
const COMMAND_WIDTH = 20; // columns

/** The fields that `ps --format` can use, safe for a terminal. A damaged container has little more than its ID. */
export function containerRow(container: ContainerSummary, { noTrunc, now }: ContainerRowOptions): StructValue {
  const { id, record } = container;
  const command = commandText(record?.command ?? []);
  const created = createdAt(container);
  const { labels = {} } = record ?? {};
  return makeStruct('*formatter.ContainerContext', {
    ID: () => (noTrunc ? id : id.slice(0, SHORT_ID)),
    Names: () => safe(record?.name ?? ''),
    Image: () => safe(record?.image ?? '<no image>'),
    Command: () => goQuote(noTrunc ? command : ellipsis(command, COMMAND_WIDTH)),
    CreatedAt: () => goTime(created),
    RunningFor: () => `${humanDuration(now - created.getTime())} ago`,
    Ports: () => (container.status === 'running' ? portsText(record?.ports ?? []) : ''),
    State: () => container.status,
    Status: () => statusText(container, now),
    Size: () => '0B', // what docker says when the size was not asked for
    Labels: () =>
      safe(
        Object.entries(labels)
          .map((label) => label.join('='))
          .toSorted()
          .join(','),
      ),
    Label: (key) => safe((typeof key === 'string' && Object.hasOwn(labels, key) ? labels[key] : undefined) ?? ''),
    Mounts: () => '',
    LocalVolumes: () => '0',
    Networks: () => '',
    Platform: () => null,
  });
}

/** As docker's daemon puts it together: an argument with a space in quotes. */
function commandText([program = '', ...args]: readonly string[]): string {
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

function createdAt({ record, since }: ContainerSummary): Date {
  const created = new Date(record?.created ?? Number.NaN);
  return Number.isNaN(created.getTime()) ? since : created;
}

/** `Up 3 minutes`, `Exited (137) 2 hours ago`, `Created`, `Dead`. */
function statusText(container: ContainerSummary, now: number): string {
  switch (container.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${humanDuration(now - createdAt(container).getTime())}`; // it starts as soon as it is made
    case 'exited':
      return `Exited (${container.exitCode ?? 0}) ${humanDuration(now - Date.parse(container.finished ?? ''))} ago`;
    case 'dead':
      return 'Dead';
  }
}

function safe(text: string): string {
  return printable(text, Number.POSITIVE_INFINITY);
}
