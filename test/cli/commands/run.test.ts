import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CliError } from '../../../src/cli/cli-error.ts';
import { runCommand } from '../../../src/cli/commands/run.ts';
import type { Context } from '../../../src/cli/context.ts';
import type { EngineApi, RunRequest } from '../../../src/cli/engine-api.ts';
import { ToolError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { fakeContext } from '../support/fake-context.ts';
import type { FakeContext } from '../support/fake-context.ts';
import { digest } from '../support/images.ts';

const ANY_TERMINAL = expect.objectContaining({ output: expect.anything() as unknown }) as unknown;
const ANY_SIGNAL: unknown = expect.any(AbortSignal);
const ANY_FUNCTION: unknown = expect.any(Function);

const succeed: EngineApi['run'] = async () => ({ containerId: 'a', exitCode: 0, isOutOfMemory: false });

async function execute(argv: string[], context: FakeContext): Promise<number> {
  return runCommand.execute({ path: 'mydocker run', argv }, context);
}

/** What the engine was asked to do. */
async function requestOf(argv: string[], options: Partial<Context> = {}): Promise<[string, RunRequest] | undefined> {
  const run = vi.fn(succeed);
  await execute(argv, fakeContext({ run }, options));
  return run.mock.calls[0];
}

/** The message and exit code that a command line fails with. */
async function failureOf(argv: string[], run = succeed, options: Partial<Context> = {}): Promise<[string, number]> {
  const error: unknown = await execute(argv, fakeContext({ run }, options)).catch((error: unknown) => error);
  if (!(error instanceof CliError)) throw new TypeError(`not a CliError: ${String(error)}`);
  return [error.message, error.exitCode];
}

const HELP = "\n\nRun 'mydocker run --help' for more information";

describe('run', () => {
  it('asks for little where little is said', async () => {
    expect(await requestOf(['alpine'])).toEqual([
      'alpine',
      {
        home: undefined,
        env: {},
        command: [],
        entrypoint: undefined,
        environment: [],
        workdir: undefined,
        user: undefined,
        userns: undefined,
        stopSignal: undefined,
        stopTimeout: undefined,
        name: undefined,
        hostname: undefined,
        domainname: undefined,
        labels: [],
        mounts: [],
        oomScoreAdj: undefined,
        volumes: [],
        tmpfs: [],
        readOnly: false,
        securityOpt: [],
        capAdd: [],
        capDrop: [],
        privileged: false,
        groupAdd: [],
        devices: [],
        shmSize: undefined,
        ulimits: [],
        sysctls: [],
        pid: 'private',
        ipc: 'private',
        init: false,
        memory: undefined,
        memorySwap: undefined,
        cpus: undefined,
        cpuShares: undefined,
        cpusetCpus: undefined,
        pidsLimit: undefined,
        remove: false,
        interactive: false,
        detachKeys: Uint8Array.of(16, 17),
        terminal: undefined,
        pull: 'missing',
        platform: undefined,
        network: undefined,
        publish: [],
        publishAll: false,
        dns: [],
        dnsSearch: [],
        dnsOption: [],
        addHost: [],
        insecureRegistries: [],
        signal: ANY_SIGNAL,
        signals: ANY_FUNCTION,
        onStarted: ANY_FUNCTION,
        onProgress: ANY_FUNCTION,
        onMissing: ANY_FUNCTION,
      },
    ]);
  });

  it('hands on what the flags for names, ids and signals say', async () => {
    const words =
      '--userns keep-id --stop-signal INT --stop-timeout=-1 --domainname example.org -l a=1 --label b ' +
      '--mount type=tmpfs,dst=/t --oom-score-adj -5 alpine';
    expect((await requestOf(words.split(' ')))?.[1]).toMatchObject({
      userns: 'keep-id',
      stopSignal: 'INT',
      stopTimeout: -1,
      domainname: 'example.org',
      labels: ['a=1', 'b'],
      mounts: ['type=tmpfs,dst=/t'],
      oomScoreAdj: -5,
    });
  });

  it('hands on what every other flag says', async () => {
    const words =
      '--rm -i --entrypoint=/bin/sh -w /work -u1000:1000 --name web -h box -v /a:/b:ro --volume=./c:/d ' +
      '--tmpfs /tmp:size=1m --read-only --security-opt no-new-privileges --cap-add net_admin --cap-drop=mknod --privileged --group-add 5 ' +
      '--device /dev/fuse --shm-size 1m --ulimit nofile=5 --sysctl net.ipv4.ip_forward=1 --pid host --ipc host --init --runtime runc -m 64m --memory-swap=-1 --cpus 1.5 ' +
      '-c 512 --cpuset-cpus 0 --pids-limit -1 --net bridge -p 80 --publish=127.0.0.1:1:2 -P --dns 192.0.2.3 --dns-search . --dns-opt a --add-host a:b --pull never --platform linux/arm64 --insecure-registry x:1 ' +
      '-e A=1 alpine sh -c';
    const argv = [...words.split(' '), 'echo "$A"', '--rm', '-it'];
    expect((await requestOf(argv))?.[1]).toMatchObject({
      remove: true,
      interactive: true,
      terminal: undefined,
      entrypoint: '/bin/sh',
      workdir: '/work',
      user: '1000:1000',
      name: 'web',
      hostname: 'box',
      volumes: ['/a:/b:ro', './c:/d'],
      tmpfs: ['/tmp:size=1m'],
      readOnly: true,
      securityOpt: ['no-new-privileges'],
      capAdd: ['net_admin'],
      capDrop: ['mknod'],
      privileged: true,
      groupAdd: ['5'],
      devices: ['/dev/fuse'],
      shmSize: '1m',
      ulimits: ['nofile=5'],
      sysctls: ['net.ipv4.ip_forward=1'],
      pid: 'host',
      ipc: 'host',
      init: true,
      runtime: 'runc',
      memory: '64m',
      memorySwap: '-1',
      cpus: '1.5',
      cpuShares: 512,
      cpusetCpus: '0',
      pidsLimit: -1,
      network: 'private',
      publish: ['80', '127.0.0.1:1:2'],
      publishAll: true,
      dns: ['192.0.2.3'],
      dnsSearch: ['.'],
      dnsOption: ['a'],
      addHost: ['a:b'],
      pull: 'never',
      platform: 'linux/arm64',
      insecureRegistries: ['x:1'],
      environment: ['A=1'],
      command: ['sh', '-c', 'echo "$A"', '--rm', '-it'],
    });
  });

  it.each([0, 7, 125, 137])('exits with what the command exits with: %d', async (exitCode) => {
    const context = fakeContext({ run: async () => ({ containerId: 'a', exitCode, isOutOfMemory: false }) });
    expect(await execute(['alpine'], context)).toBe(exitCode);
    expect(context.out() + context.err()).toBe('');
  });

  it.each([
    [137, true, /memory limit/],
    [0, true, /^$/],
    [137, false, /^$/],
  ])('says for want of what a command was killed: exit code %d, %s', async (exitCode, isOutOfMemory, said) => {
    const context = fakeContext({ run: async () => ({ containerId: 'a', exitCode, isOutOfMemory }) });
    expect(await execute(['alpine'], context)).toBe(exitCode);
    expect(context.err()).toMatch(said);
  });

  it.each<[ErrorCode, number]>([
    ['ERR_COMMAND_NOT_FOUND', 127],
    ['ERR_VOLUME', 127],
    ['ERR_COMMAND_NOT_EXECUTABLE', 126],
    ['ERR_CONTAINER', 125],
    ['ERR_NO_SUCH_IMAGE', 125],
    ['ERR_REFERENCE', 125],
  ])('fails with docker’s exit code and words for %s', async (code, exitCode) => {
    const run = async (): Promise<never> => {
      throw new ToolError(code, 'it does not work', { hint: 'Do this.' });
    };
    expect(await failureOf(['alpine'], run)).toEqual([`mydocker: it does not work\nDo this.${HELP}`, exitCode]);
  });

  it('fails with 125 for an error that nobody foresaw', async () => {
    const run = async (): Promise<never> => {
      throw new TypeError('a bug\u001b[31m');
    };
    expect(await failureOf(['alpine'], run)).toEqual([`mydocker: a bug\\x1b[31m${HELP}`, 125]);
  });

  it.each([
    [['--nope', 'alpine'], 'unknown flag: --nope\n\nUsage:  mydocker run [OPTIONS] IMAGE [COMMAND] [ARG...]'],
    [[], "mydocker: 'mydocker run' requires at least 1 argument"],
    [['--rm'], "mydocker: 'mydocker run' requires at least 1 argument"],
    [['-l', '=x', 'a'], `invalid argument "=x" for "-l, --label" flag: invalid label '=x': empty name`],
    [['-l', 'a b=x', 'a'], `invalid argument "a b=x" for "-l, --label" flag: label 'a b' contains whitespaces`],
    [['-e', '=x', 'a'], 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
    [['--pull=x', 'a'], `mydocker: invalid pull option: 'x': must be one of "always", "missing" or "never"${HELP}`],
    [['--network', 'bogus', 'a'], 'mydocker: network bogus not found'],
    [['--env-file', '/does/not/exist', 'a'], 'no such file or directory'],
    [['--platform', 'x/y/z/w', 'a'], 'x/y/z/w'],
  ])('fails with 125 for %j', async (argv, message) => {
    expect(await failureOf(argv)).toEqual([expect.stringContaining(message), 125]);
  });

  it('does not connect a terminal to what is none', async () => {
    const message = 'cannot attach stdin to a TTY-enabled container because stdin is not a terminal';
    expect(await failureOf(['-it', 'alpine'])).toEqual([`mydocker: ${message}${HELP}`, 125]);
    expect((await requestOf(['-t', 'alpine']))?.[1]).toMatchObject({ terminal: ANY_TERMINAL, interactive: false });
    expect((await requestOf(['-it', 'alpine'], { stdinIsTerminal: () => true }))?.[1]).toMatchObject({
      terminal: ANY_TERMINAL,
    });
  });
});

describe('run and the detach keys', () => {
  it('succeeds when they were typed, and leaves the line on which the container’s prompt stands', async () => {
    const context = fakeContext({ run: async () => 'detached' }, { stdinIsTerminal: () => true });
    expect(await execute(['-it', 'alpine'], context)).toBe(0);
    expect([context.out(), context.err()]).toEqual(['', '\n']);
  });

  it.each([
    [
      ['--detach-keys', 'ctrl-a,b'],
      [1, 98],
    ],
    [['--detach-keys='], [16, 17]],
  ])('hands on %s', async (flags, keys) => {
    expect((await requestOf([...flags, 'alpine']))?.[1].detachKeys).toEqual(Uint8Array.from(keys));
  });

  it('fails with 125 for what are none', async () => {
    const message = "invalid detach keys (shift-b): unknown character: 'shift-b'";
    expect(await failureOf(['--detach-keys', 'shift-b', 'alpine'])).toEqual([
      expect.stringContaining(`mydocker: ${message}\n`),
      125,
    ]);
  });
});

describe('run and the environment', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mydocker-run-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('takes from the caller what is only named, and puts files before flags', async () => {
    const file = join(folder, 'env');
    writeFileSync(file, '# comment\nFILE=1\nHOST\nABSENT\nA=file\n');
    const env = { HOST: 'from the host', SECRET: 'not asked for' };
    const request = await requestOf(['-e', 'A=1', '-e', 'HOST', '-e', 'ABSENT', '--env-file', file, 'alpine'], { env });
    expect(request?.[1].environment).toEqual([
      'FILE=1',
      'HOST=from the host',
      'A=file',
      'A=1',
      'HOST=from the host',
      'ABSENT',
    ]);
  });
});

describe('run and the pull', () => {
  const pulling: EngineApi['run'] = async (_, { onMissing, onProgress }) => {
    onMissing();
    onProgress({ kind: 'layer', digest: digest('a'), state: 'waiting' });
    return { containerId: 'a', exitCode: 0, isOutOfMemory: false };
  };

  it('tells of it on stderr', async () => {
    const context = fakeContext({ run: pulling });
    await execute(['alpine'], context);
    expect(context.out()).toBe('');
    expect(context.err()).toBe("Unable to find image 'alpine:latest' locally\naaaaaaaaaaaa: Pulling fs layer\n");
  });

  it('says nothing with -q', async () => {
    const context = fakeContext({ run: pulling });
    await execute(['-q', 'alpine'], context);
    expect(context.out() + context.err()).toBe('');
  });
});

describe('run and signals', () => {
  it('stops the pull at Ctrl-C, with exit code 130', async () => {
    const context = fakeContext({
      run: async (_, { signal }) => {
        context.signals.emit('SIGINT', 'SIGINT', 2);
        signal.throwIfAborted();
        return { containerId: 'a', exitCode: 0, isOutOfMemory: false };
      },
    });
    expect(await execute(['alpine'], context)).toBe(130);
    expect(context.err()).toBe('');
  });

  it('hands signals to the container once it is there', async () => {
    const heard: string[] = [];
    const context = fakeContext({
      run: async (_, { signal, signals }) => {
        const stop = signals((name) => heard.push(name));
        for (const [name, number] of [
          ['SIGINT', 2],
          ['SIGQUIT', 3],
          ['SIGHUP', 1],
          ['SIGTERM', 15],
        ] as const) {
          context.signals.emit(name, name, number);
        }
        stop();
        expect(signal.aborted).toBe(false);
        return { containerId: 'a', exitCode: 3, isOutOfMemory: false };
      },
    });
    expect(await execute(['alpine'], context)).toBe(3);
    expect(heard).toEqual(['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM']);
    expect(context.signals.eventNames()).toEqual([]);
  });
});
