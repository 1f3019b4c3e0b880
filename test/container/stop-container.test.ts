import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readRecord, readState } from '../../src/container/container-record.ts';
import { killContainer, stopContainer } from '../../src/container/stop-container.ts';
import type { ContainerConfig } from '../../src/oci/image-config.ts';
import { createBox } from './support/box.ts';
import type { Box, Run, RunOptions } from './support/box.ts';
import { CALLERS } from './support/callers.ts';

const DEAF = 'trap "" TERM INT; while :; do sleep 0.05; done';

for (const { caller, needs } of CALLERS) {
  describe(`stopContainer() of ${caller}`, needs, () => {
    let box: Box;
    let containers: string;
    beforeAll(() => {
      box = createBox(caller);
      ({ containers } = box.paths);
    });
    afterAll(() => box.remove());

    async function start(script: string, options: RunOptions = {}, image: Partial<ContainerConfig> = {}): Promise<Run> {
      const run = box.start(['sh', '-c', script], { options, image });
      await run.started;
      return run;
    }

    /** Answers to each of these signals with its own exit code, 100 and its number. */
    async function listening(options: RunOptions = {}, image: Partial<ContainerConfig> = {}): Promise<Run> {
      const traps = [2, 3, 10, 15].map((number) => `trap 'exit ${100 + number}' ${number}`).join('\n');
      const run = await start(`${traps}\necho ready\nwhile :; do sleep 0.05; done`, options, image);
      await run.printed('ready');
      return run;
    }

    it.for([
      ['SIGTERM', {}, {}, undefined, 115],
      ['the image’s signal', {}, { stopSignal: 'SIGQUIT' }, undefined, 103],
      ['that of --stop-signal', { stopSignal: 2 }, { stopSignal: 'SIGQUIT' }, undefined, 102],
      ['that of the command line', { stopSignal: 2 }, {}, 'usr1', 110],
      ['SIGTERM where the image’s is none', {}, { stopSignal: 'nonsense' }, undefined, 115],
    ] as const)('sends %s', async ([, options, image, signalName, exitCode]) => {
      const run = await listening(options, image);
      const { id, name } = await run.started;
      await stopContainer({ containers, container: name, signalName });
      expect(readState(containers, id).exitCode).toBe(exitCode); // known when it answers
      expect(await run.outcome).toMatchObject({ exitCode });
    });

    it('kills one that does not end, after the seconds it was made with or is given', async () => {
      const run = await start(DEAF, { stopTimeout: 0 });
      const { id } = await run.started;
      await stopContainer({ containers, container: id });
      expect(await run.outcome).toMatchObject({ exitCode: 137 });
      const patient = await start(DEAF, { stopTimeout: -1 });
      const given = await patient.started;
      await stopContainer({ containers, container: given.id, timeout: 0 });
      expect(await patient.outcome).toMatchObject({ exitCode: 137 });
    });

    it('waits without end for one with a timeout of -1, until it is told not to', async () => {
      const run = await start(DEAF);
      const { id } = await run.started;
      const controller = new AbortController();
      const stopping = stopContainer({ containers, container: id, timeout: -1, signal: controller.signal });
      controller.abort();
      await expect(stopping).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      await killContainer({ containers, container: id });
      expect(await run.outcome).toMatchObject({ exitCode: 137 });
    });

    it('leaves one as it is that has ended, and does not know one that is not there', async () => {
      const { id = '' } = await box.run(['true']);
      await stopContainer({ containers, container: id });
      expect(readState(containers, id).exitCode).toBe(0);
      await expect(stopContainer({ containers, container: 'nope' })).rejects.toThrow('No such container: nope');
    });

    it('passes a signal to an init, which passes it on', async () => {
      const run = await listening({ init: true });
      const { id } = await run.started;
      await stopContainer({ containers, container: id });
      expect(await run.outcome).toMatchObject({ exitCode: 115 });
    });
  });

  describe(`killContainer() of ${caller}`, needs, () => {
    let box: Box;
    let containers: string;
    beforeAll(() => {
      box = createBox(caller);
      ({ containers } = box.paths);
    });
    afterAll(() => box.remove());

    it('ends a container at once', async () => {
      const run = box.start(['sh', '-c', DEAF]);
      const { id } = await run.started;
      await killContainer({ containers, container: id.slice(0, 12) });
      expect(readState(containers, id).exitCode).toBe(137);
      expect(await run.outcome).toMatchObject({ exitCode: 137 });
    });

    // SIGTSTP, SIGURG and SIGSTOP are among those that a waiter does not pass on.
    it.for(['USR1', 'TSTP', 'URG', 'CHLD', 'STKFLT', 'RTMIN+3'])('sends %s', async (signalName) => {
      const name = signalName.replace('RTMIN+3', '37');
      const script = `trap 'echo got it; exit 9' ${name}\necho ready\nwhile :; do sleep 0.05 & wait; done`;
      const run = box.start(['sh', '-c', signalName === 'CHLD' ? script.replace('sleep 0.05 & wait', ':') : script]);
      await Promise.all([run.started, run.printed('ready')]);
      const { id } = await run.started;
      await killContainer({ containers, container: id, signalName });
      expect(await run.outcome).toMatchObject({ stdout: 'ready\ngot it\n', exitCode: 9 });
    });

    it('stops and continues a container, and not the one who waits for it', async () => {
      const run = box.start(['sh', '-c', 'echo ready; while :; do :; done']);
      await Promise.all([run.started, run.printed('ready')]);
      const { id } = await run.started;
      const waiter = readState(containers, id).waiter?.pid ?? 0;
      const [command] = readFileSync(`/proc/${waiter}/task/${waiter}/children`, 'latin1').split(' ');
      await killContainer({ containers, container: id, signalName: 'STOP' });
      await until(() => stateOf(command) === 'T');
      expect(stateOf(waiter)).not.toBe('T');
      await killContainer({ containers, container: id, signalName: 'CONT' });
      await until(() => stateOf(command) === 'R' || stateOf(command) === 'S');
      await killContainer({ containers, container: id });
      expect(await run.outcome).toMatchObject({ exitCode: 137 });
    });

    it('says so of one that does not run, and of a signal that there is not', async () => {
      const { id = '' } = await box.run(['true'], { options: { name: 'ended' } });
      await expect(killContainer({ containers, container: 'ended' })).rejects.toMatchObject({
        code: 'ERR_CONFLICT',
        message: `cannot kill container: ended: container ${id} is not running`,
      });
      await expect(killContainer({ containers, container: 'ended', signalName: 'FOO' })).rejects.toMatchObject({
        code: 'ERR_USAGE',
        message: 'cannot kill container: ended: invalid signal: FOO',
      });
    });

    it('records what a container is stopped with', async () => {
      const { id = '' } = await box.run(['true'], { options: { stopSignal: 2, stopTimeout: 5 } });
      expect(readRecord(containers, id)).toMatchObject({ stopSignal: 2, stopTimeout: 5 });
      const plain = await box.run(['true']);
      const record = JSON.parse(readFileSync(join(containers, plain.id ?? '', 'config.json'), 'utf8')) as object;
      expect(Object.keys(record)).not.toEqual(expect.arrayContaining(['stopSignal']));
    });
  });
}

function stateOf(pid: string | number | undefined): string {
  return readFileSync(`/proc/${pid ?? 'self'}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .slice(0, 1);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => void setTimeout(resolve, 5));
}
