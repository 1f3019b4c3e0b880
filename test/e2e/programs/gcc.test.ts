import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requires } from '../../support/requirements.ts';
import { CALLERS } from '../support/callers.ts';
import { freePort } from '../support/free-port.ts';
import { useImageHome } from '../support/image-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

const PROGRAM = `
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void *work(void *sum) { for (long i = 1; i <= 1000; i++) *(long *)sum += i; return NULL; }

int main(void) {
  long sum = 0;
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, &sum) != 0 || pthread_join(thread, NULL) != 0) return 1;
  printf("thread %ld\\n", sum);
  fflush(stdout);
  if (fork() == 0) _exit(7);
  int status;
  wait(&status);
  printf("child %d\\n", WEXITSTATUS(status));
  return 0;
}
`;

describe.each(CALLERS)(
  'programs in a container of $caller',
  requires(...TEST_BED_NEEDS, 'ordinary-users'),
  ({ user }) => {
    const home = useImageHome(user, 'library/programs');

    it('are compiled by gcc, from a folder of the host into it, and run', async () => {
      const folder = join(home.folder, 'source');
      mkdirSync(folder);
      writeFileSync(join(folder, 'program.c'), PROGRAM);
      chownSync(folder, home.uid, home.gid);
      const flags = ['-v', `${folder}:/src`, '-w', '/src'];
      const compiled = await home.run(flags, [
        'gcc',
        '-O2',
        '-Wall',
        '-Werror',
        '-o',
        'program',
        'program.c',
        '-pthread',
      ]);
      expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' });
      const ran = await home.run(['-v', `${folder}/program:/usr/local/bin/program:ro`], ['program']);
      expect(ran).toEqual({ code: 0, stdout: 'thread 500500\nchild 7\n', stderr: '' });
    });

    it('are scripts of perl and of bash, with pipes, here-documents and process substitution', async () => {
      const perl = await home.run([], ['perl', '-e', 'print join(",", map { $_ ** 2 } 1 .. 5), "\\n"; exit 3']);
      expect(perl).toEqual({ code: 3, stdout: '1,4,9,16,25\n', stderr: '' });
      const bash = await home.run([], ['bash', '-c', 'diff <(seq 3) <(seq 4); cat <<<"here $((6 * 7))"']);
      expect(bash).toEqual({ code: 0, stdout: '3a4\n> 4\nhere 42\n', stderr: '' });
    });

    it('are Node of the host, lent read-only, which serves and is reached from outside', async () => {
      const script = `const server = require('node:http').createServer((_, response) => response.end('from ' + process.pid));
      server.listen(process.env.PORT, '127.0.0.1', () => console.log('ready'));
      process.on('SIGTERM', () => server.close(() => process.exit(5)));`;
      const port = await freePort();
      const flags = ['--network', 'host', '-e', `PORT=${port}`, '-v', `${process.execPath}:/usr/local/bin/node:ro`];
      const server = home.start(['run', '--rm', ...flags, home.image, 'node', '-e', script]);
      await server.says('ready');
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
      expect(await answer.text()).toBe('from 1');
      server.child.kill('SIGTERM');
      expect(await server.ended).toMatchObject({ code: 5, stderr: '' });
    });
  },
);
