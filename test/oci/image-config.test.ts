import { describe, expect, test } from 'vitest';
import type { ImageConfig } from '../../src/oci/image-config.ts';
import { checkLayersMatch, parseImageConfig } from '../../src/oci/image-config.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { descriptorJson, digestOfText, encode, imageConfigJson, manifestJson, OCI_LAYER } from './support/documents.ts';
import { expectToolError } from './support/expect-tool-error.ts';

const parse = (document: unknown): ImageConfig => parseImageConfig(encode(document));
const parseContainer = (config: Record<string, unknown>): ImageConfig['config'] =>
  parse(imageConfigJson(config)).config;
const NOTHING = {
  user: '',
  env: [],
  entrypoint: [],
  cmd: [],
  workingDir: '',
  labels: {},
  exposedPorts: [],
  volumes: [],
};

describe('parseImageConfig()', () => {
  test('reads every field', () => {
    const config = {
      User: '1000:1000',
      Env: ['PATH=/bin', 'EMPTY=', 'A=b=c'],
      Entrypoint: ['/entry'],
      Cmd: ['a', ''],
      WorkingDir: '/work',
      Labels: { Key: '1', key: '2' },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGQUIT',
      Shell: ['/bin/bash', '-c'],
    };
    const more = {
      architecture: 'arm64',
      variant: 'v8',
      created: '2024-02-29T12:34:56.123456789Z',
      author: 'someone',
      history: [
        { created: '2024-01-01T00:00:00+01:00', created_by: 'COPY a b', author: 'x', comment: 'c' },
        { empty_layer: true },
        { empty_layer: false },
      ],
    };
    expect(parse(imageConfigJson(config, more))).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      created: '2024-02-29T12:34:56.123456789Z',
      author: 'someone',
      config: {
        user: '1000:1000',
        env: ['PATH=/bin', 'EMPTY=', 'A=b=c'],
        entrypoint: ['/entry'],
        cmd: ['a', ''],
        workingDir: '/work',
        labels: { Key: '1', key: '2' },
        exposedPorts: ['80/tcp', '53/udp'],
        volumes: ['/data'],
        stopSignal: 'SIGQUIT',
        shell: ['/bin/bash', '-c'],
      },
      diffIds: [digestOfText('layer')],
      history: [
        { created: '2024-01-01T00:00:00+01:00', createdBy: 'COPY a b', author: 'x', comment: 'c', emptyLayer: false },
        { emptyLayer: true },
        { emptyLayer: false },
      ],
    });
  });

  test('takes null and empty values for absent ones, as Go writes them', () => {
    const config = {
      User: '',
      Env: null,
      Entrypoint: null,
      Cmd: [],
      Labels: null,
      Volumes: null,
      StopSignal: '',
      Shell: [],
    };
    expect(parseContainer(config)).toEqual(NOTHING);
    expect(parse(imageConfigJson({}, { config: null })).config).toEqual(NOTHING);
    expect(parse({ os: '', architecture: '', rootfs: { type: 'layers', diff_ids: null } })).toEqual({
      os: 'linux',
      architecture: '',
      config: NOTHING,
      diffIds: [],
      history: [],
    });
  });

  test('C04 drops what is no NAME=value', () => {
    const hostile = ['PATH', '*', 'A=\0', 'A\0B=c', '=x', '', 'HOME=/', 'LINES=a\nb', `BIG=${'x'.repeat(1_000_000)}`];
    expect(parseContainer({ Env: hostile }).env).toEqual(hostile.slice(-3));
  });

  test.each([
    [{ Env: 'PATH=/bin' }, 'Env is a string, an array was wanted'],
    [{ Env: [5] }, 'Env[0] is a number'],
    [{ Env: { PATH: '/bin' } }, 'Env is an object'],
    [{ Entrypoint: '/bin/sh' }, 'Entrypoint is a string, an array was wanted'],
    [{ Entrypoint: ['/bin/sh', null] }, 'Entrypoint[1] is null'],
    [{ Entrypoint: ['/bin/sh\0'] }, 'Entrypoint[0] contains a NUL'],
    [{ Cmd: { 0: 'sh' } }, 'Cmd is an object'],
    [{ Cmd: [['sh']] }, 'Cmd[0] is an array'],
    [{ Cmd: ['a', 'b\0c'] }, 'Cmd[1] contains a NUL'],
    [{ User: 0 }, 'User is a number'],
    [{ User: 'root\0' }, 'User contains a NUL'],
    [{ WorkingDir: ['/'] }, 'WorkingDir is an array'],
    [{ WorkingDir: '/\0' }, 'WorkingDir contains a NUL'],
    [{ Volumes: ['/data'] }, 'it is an array, an object was wanted'],
    [{ Volumes: { '/\0': {} } }, 'Volumes contains a NUL'],
    [{ ExposedPorts: '80' }, 'it is a string, an object was wanted'],
    [{ Labels: { a: ['b'] } }, 'Labels["a"] is an array'],
    [{ StopSignal: 15 }, 'StopSignal is a number'],
    [{ Shell: 'sh' }, 'Shell is a string'],
  ])('C09 refuses %j', (config, reason) => {
    expectToolError(() => parseContainer(config), 'ERR_MANIFEST', reason);
  });

  test('C09 takes as many arguments as the image has', () => {
    expect(parseContainer({ Cmd: Array.from({ length: 500_000 }, () => 'a') }).cmd).toHaveLength(500_000);
  });

  test('C05 C07 C08 hands users and paths on as they are', () => {
    const config = { User: '4294967295', WorkingDir: '/proc/self/fd/7', Volumes: { '/../../etc': {} } };
    expect(parseContainer(config)).toMatchObject({
      user: '4294967295',
      workingDir: '/proc/self/fd/7',
      volumes: ['/../../etc'],
    });
  });

  test.each(['9999', '', 'yesterday', '2024-13-01T00:00:00Z', '2024-01-01', 5, {}])(
    'C11 drops the date %j',
    (created) => {
      const parsed = parse(imageConfigJson({}, { created, history: [{ created }] }));
      expect(parsed).not.toHaveProperty('created');
      expect(parsed.history).toEqual([{ emptyLayer: false }]);
    },
  );

  test('C11 takes another operating system and junk variants, for the caller to judge', () => {
    expect(parse(imageConfigJson({}, { os: 'windows', variant: '\u001bx' }))).toMatchObject({
      os: 'windows',
      variant: '\u001bx',
    });
  });

  test.each([
    ['[]', 'it is an array'],
    ['{}', 'rootfs is missing: this is not the config of a container image'],
    [imageConfigJson({}, { rootfs: { diff_ids: [] } }), 'type is missing, "layers" was wanted'],
    [imageConfigJson({}, { rootfs: { type: 'layers+base', diff_ids: [] } }), 'type is "layers+base"'],
    [imageConfigJson({}, { rootfs: { type: 'layers', diff_ids: 'sha256:x' } }), 'diff_ids is a string'],
    [imageConfigJson({}, { rootfs: { type: 'layers', diff_ids: ['sha256:../x'] } }), 'diff_ids[0]: invalid digest'],
    [
      imageConfigJson({}, { rootfs: { type: 'layers', diff_ids: [`md5:${'a'.repeat(32)}`] } }),
      'diff_ids[0]: unsupported digest algorithm',
    ],
    [imageConfigJson({}, { config: [] }), 'Cannot parse "image config config": it is an array'],
    [imageConfigJson({}, { os: 5 }), 'os is a number'],
    [imageConfigJson({}, { history: {} }), 'history is an object'],
    [imageConfigJson({}, { history: ['x'] }), 'Cannot parse "image config history[0]": it is a string'],
    [imageConfigJson({}, { history: [{ comment: 1 }] }), 'comment is a number'],
    ['{"rootfs":{},"Rootfs":{}}', 'the key "Rootfs" occurs twice'],
  ])('C12 refuses %j', (document, reason) => {
    expectToolError(() => parse(document), 'ERR_MANIFEST', reason);
  });

  test('B19 C12 C13 keeps labels as data, whatever their names', () => {
    const text = JSON.stringify(imageConfigJson({ Labels: { x: '1', 'run.oci.handler': 'krun' } })).replace(
      '"x"',
      '"__proto__"',
    );
    const { labels } = parseImageConfig(encode(text)).config;
    expect(Object.entries(labels)).toEqual([
      ['__proto__', '1'],
      ['run.oci.handler', 'krun'],
    ]);
    expect(labels['constructor']).toBeUndefined();
    expect(parseContainer({}).labels['toString']).toBeUndefined();
  });

  test('B18 finds no command in a polluted prototype', () => {
    // eslint-disable-next-line no-extend-native -- this is the attack
    Object.defineProperty(Object.prototype, 'Entrypoint', { value: ['/evil'], configurable: true });
    try {
      expect(parseContainer({}).entrypoint).toEqual([]);
    } finally {
      delete (Object.prototype as Record<string, unknown>)['Entrypoint'];
    }
  });
});

describe('checkLayersMatch()', () => {
  const check = (layers: number, diffIds: number): void => {
    const manifest = parseManifest(
      encode(manifestJson({ layers: Array.from({ length: layers }, () => descriptorJson(OCI_LAYER)) })),
      undefined,
    );
    if (manifest.kind !== 'manifest') throw new Error('unreachable');
    const rootfs = {
      type: 'layers',
      diff_ids: Array.from({ length: diffIds }, (_, index) => digestOfText(String(index))),
    };
    checkLayersMatch(manifest.manifest, parse(imageConfigJson({}, { rootfs })));
  };

  test.each([
    [1, 2],
    [2, 1],
    [0, 1],
    [1, 0],
  ])('B20 C01 refuses %i layers with %i diff IDs', (layers, diffIds) => {
    expectToolError(
      () => check(layers, diffIds),
      'ERR_MANIFEST',
      `it has ${diffIds} diff IDs, but the manifest has ${layers} layers`,
    );
  });

  test('C01 takes equal counts, also none', () => {
    check(3, 3);
    check(0, 0);
  });
});
