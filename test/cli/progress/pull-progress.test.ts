import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPullProgress } from '../../../src/cli/progress/pull-progress.ts';
import type { LayerState, PullEvent } from '../../../src/image/pull-event.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { Reference } from '../../../src/oci/reference.ts';
import { fakeOutput } from '../support/fake-context.ts';
import { screen } from '../support/screen.ts';

const reference = parseReference('debian:latest');
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(digest) as [Digest, Digest, Digest, Digest];

function digest(hex: string): Digest {
  return parseDigest(`sha256:${hex.repeat(64)}`);
}

function layer(
  of: Digest,
  state: LayerState,
  more: { current?: number; total?: number; seconds?: number } = {},
): PullEvent {
  return { kind: 'layer', digest: of, state, ...more };
}

function layers(sizes: Array<[Digest, number]>): PullEvent {
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  return { kind: 'layers', layers: sizes.map(([of, size]) => ({ mediaType, digest: of, size })) };
}

function done(of: Reference, upToDate: boolean): PullEvent {
  const platform = { os: 'linux', architecture: 'amd64' };
  return {
    kind: 'done',
    result: { reference: of, name: '', digest: d, manifestDigest: d, imageId: d, platform, upToDate },
  };
}

const EVENTS: PullEvent[] = [
  { kind: 'resolving', reference },
  layers([
    [a, 144_900_000],
    [b, 5],
    [c, 1000],
  ]),
  layer(a, 'waiting'),
  layer(b, 'exists'),
  layer(c, 'waiting'),
  layer(a, 'downloading', { current: 17_700_000, total: 144_900_000 }),
  layer(a, 'downloading', { current: 144_900_000, total: 144_900_000 }),
  layer(c, 'retrying', { seconds: 5 }),
  layer(a, 'verifying'),
  layer(a, 'downloaded'),
  layer(a, 'extracting', { current: 1125 }),
  layer(c, 'downloading', { current: 1, total: 1000 }),
  layer(b, 'complete'), // it was there, and unpacked
  layer(a, 'complete'),
  layer(c, 'downloaded'),
  layer(c, 'complete'),
  done(reference, false),
];

// What docker 28.2.2 wrote when a daemon sent it the same, to a pipe and to terminals of 120 and 80 columns.
const PLAIN = [
  'latest: Pulling from library/debian\n',
  'aaaaaaaaaaaa: Pulling fs layer\n',
  'bbbbbbbbbbbb: Already exists\n',
  'cccccccccccc: Pulling fs layer\n',
  'cccccccccccc: Waiting\n',
  'cccccccccccc: Retrying in 5 seconds\n',
  'aaaaaaaaaaaa: Verifying Checksum\n',
  'aaaaaaaaaaaa: Download complete\n',
  'aaaaaaaaaaaa: Pull complete\n',
  'cccccccccccc: Download complete\n',
  'cccccccccccc: Pull complete\n',
  'Digest: sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\n',
  'Status: Downloaded newer image for debian:latest\n',
];
const WIDE = [
  'latest: Pulling from library/debian\n',
  '\n',
  '\x1b[1A\x1b[2K\raaaaaaaaaaaa: Pulling fs layer \r\x1b[1B',
  '\n',
  '\x1b[1A\x1b[2K\rbbbbbbbbbbbb: Already exists \r\x1b[1B',
  '\n',
  '\x1b[1A\x1b[2K\rcccccccccccc: Pulling fs layer \r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Downloading [======>                                            ]   17.7MB/144.9MB\r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Waiting \r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Downloading [==================================================>]  144.9MB/144.9MB\r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Retrying in 5 seconds \r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Verifying Checksum \r\x1b[3B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Download complete \r\x1b[3B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Extracting [>                                                  ]  1.125kB/144.9MB\r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Downloading [>                                                  ]       1B/1kB\r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Pull complete \r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Download complete \r\x1b[1B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Pull complete \r\x1b[1B',
  'Digest: sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\n',
  'Status: Downloaded newer image for debian:latest\n',
];
const NARROW = [
  'latest: Pulling from library/debian\n',
  '\n',
  '\x1b[1A\x1b[2K\raaaaaaaaaaaa: Pulling fs layer \r\x1b[1B',
  '\n',
  '\x1b[1A\x1b[2K\rbbbbbbbbbbbb: Already exists \r\x1b[1B',
  '\n',
  '\x1b[1A\x1b[2K\rcccccccccccc: Pulling fs layer \r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Downloading   17.7MB/144.9MB\r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Waiting \r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Downloading  144.9MB/144.9MB\r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Retrying in 5 seconds \r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Verifying Checksum \r\x1b[3B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Download complete \r\x1b[3B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Extracting  1.125kB/144.9MB\r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Downloading       1B/1kB\r\x1b[1B',
  '\x1b[3A\x1b[2K\raaaaaaaaaaaa: Pull complete \r\x1b[3B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Download complete \r\x1b[1B',
  '\x1b[1A\x1b[2K\rcccccccccccc: Pull complete \r\x1b[1B',
  'Digest: sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\n',
  'Status: Downloaded newer image for debian:latest\n',
];

/** What is shown of `events`. The clock stands still between them unless `tick` moves it. */
function show(events: PullEvent[], terminal?: { columns: number; rows: number }, tick: number = 0): string {
  const output = fakeOutput(terminal);
  let now = 0;
  const progress = createPullProgress(output, () => (now += tick));
  for (const event of events) progress.onEvent(event);
  progress.stop();
  return output.text();
}

describe('createPullProgress()', () => {
  it.each([
    ['a pipe', undefined, PLAIN],
    ['a wide terminal', { columns: 120, rows: 24 }, WIDE],
    ['a narrow terminal', { columns: 80, rows: 24 }, NARROW],
  ])('writes to %s, byte for byte, what docker writes', (_, terminal, written) => {
    expect(show(EVENTS, terminal)).toBe(written.join(''));
  });

  it('says which tag is pulled only once the registry has it', () => {
    expect(show([{ kind: 'resolving', reference }])).toBe('');
  });

  it('shows no layers of an image that is up to date', () => {
    expect(show([{ kind: 'resolving', reference }, done(reference, true)])).toBe(
      `latest: Pulling from library/debian\nDigest: ${d}\nStatus: Image is up to date for debian:latest\n`,
    );
  });

  it('names the whole reference when it is pulled by digest', () => {
    const byDigest = parseReference(`ghcr.io/team/app@${a}`);
    expect(show([{ kind: 'resolving', reference: byDigest }, done(byDigest, false)])).toBe(
      `ghcr.io/team/app@${a}: Pulling from team/app\nDigest: ${d}\nStatus: Downloaded newer image for ghcr.io/team/app@${a}\n`,
    );
  });

  it('shows each layer once that stands in the manifest twice', () => {
    const events = [layer(a, 'waiting'), layer(a, 'complete'), layer(a, 'extracting'), layer(a, 'complete')];
    expect(show(events)).toBe('aaaaaaaaaaaa: Pulling fs layer\naaaaaaaaaaaa: Pull complete\n');
  });

  it('shows the unpacking of a blob that was there', () => {
    expect(show([layer(a, 'exists'), layer(a, 'extracting', { current: 1 }), layer(a, 'complete')])).toBe(
      'aaaaaaaaaaaa: Already exists\naaaaaaaaaaaa: Pull complete\n',
    );
  });
});

describe('createPullProgress() on a terminal', () => {
  const terminal = { columns: 120, rows: 24 };

  function lastLine(events: PullEvent[], tick: number): string | undefined {
    return show(events, terminal, tick).split('\x1b[2K\r').at(-1)?.split('\r')[0];
  }

  it('shows the time left, not counting what an earlier try had downloaded', () => {
    const events = [
      layers([[a, 1000]]),
      layer(a, 'downloading', { current: 600, total: 1000 }),
      layer(a, 'downloading', { current: 700, total: 1000 }),
    ];
    // Read for each event, for its drawing and for the time: 100 bytes took a few of these long ticks.
    expect(lastLine(events, 10_000)).toMatch(/^aaaaaaaaaaaa: Downloading \[=+> +\] {5}700B\/1kB [1-9]\d*m\d+s$/);
  });

  it('draws amounts of a layer ten times a second at most, but the last one always', () => {
    const events = Array.from({ length: 1000 }, (_, index) =>
      layer(a, 'downloading', { current: index + 1, total: 1000 }),
    );
    const drawn = show(events, terminal, 1).split('Downloading').length - 1;
    expect(drawn).toBeGreaterThan(5);
    expect(drawn).toBeLessThan(60);
    expect(lastLine(events, 1)).toContain('1kB/1kB');
  });

  it('leaves each layer’s last state behind, once, where there are more layers than rows', () => {
    const digests = Array.from('abcdef', digest);
    const exists = digests.slice(0, 3).map((of) => layer(of, 'exists'));
    const waiting = digests.slice(3).map((of) => layer(of, 'waiting'));
    const unpacked = [
      layer(digests[0] ?? a, 'extracting', { current: 1 }),
      ...digests.map((of) => layer(of, 'complete')),
    ];
    const rows = 4;
    const lines = screen(show([...exists, ...waiting, ...unpacked], { columns: 80, rows }), rows);
    expect(lines.map((line) => line.trimEnd()).sort()).toEqual([
      'aaaaaaaaaaaa: Pull complete',
      'bbbbbbbbbbbb: Already exists',
      'cccccccccccc: Already exists',
      'dddddddddddd: Pull complete',
      'eeeeeeeeeeee: Pull complete',
      'ffffffffffff: Pull complete',
    ]);
  });

  it('cuts a line that would run over', () => {
    const events = [layer(a, 'downloading', { current: 17_700_000, total: 144_900_000 })];
    expect(show(events, { columns: 20, rows: 24 })).toBe('\n\x1b[1A\x1b[2K\raaaaaaaaaaaa: Downlo\r\x1b[1B');
  });
});

describe('createPullProgress() while a layer waits for its next try', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function retry(terminal?: { columns: number; rows: number }): string {
    const output = fakeOutput(terminal);
    const progress = createPullProgress(output, Date.now);
    progress.onEvent(layer(a, 'retrying', { seconds: 3 }));
    vi.advanceTimersByTime(10_000);
    progress.onEvent(layer(a, 'downloading', { current: 0, total: 10 }));
    vi.advanceTimersByTime(10_000);
    progress.stop();
    expect(vi.getTimerCount()).toBe(0);
    return output.text();
  }

  it('counts down on a terminal', () => {
    const shown = retry({ columns: 80, rows: 24 }).matchAll(/: (Retrying in \d+ seconds?|Downloading)/g);
    expect(Array.from(shown, ([, words]) => words)).toEqual([
      'Retrying in 3 seconds',
      'Retrying in 2 seconds',
      'Retrying in 1 second',
      'Downloading',
    ]);
  });

  it('says it once elsewhere', () => {
    expect(retry()).toBe('aaaaaaaaaaaa: Retrying in 3 seconds\n');
  });
});
