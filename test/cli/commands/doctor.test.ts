import { describe, expect, it } from 'vitest';
import { doctorCommand } from '../../../src/cli/commands/doctor.ts';
import type { ExamineHostRequest } from '../../../src/cli/engine-api.ts';
import type { HostReport } from '../../../src/container/doctor/examine-host.ts';
import { fakeContext } from '../support/fake-context.ts';

const FINE: HostReport = {
  canRun: true,
  findings: [
    { check: 'kernel', state: 'ok', found: 'Linux 6.8' },
    { check: 'subordinate ids', state: 'note', found: 'none', meaning: 'one user', remedy: 'echo "a:1:2" | sudo tee' },
  ],
};
const BROKEN: HostReport = {
  canRun: false,
  findings: [{ check: 'seccomp', state: 'problem', found: 'there is none', meaning: 'containers cannot run' }],
};

async function run(
  report: HostReport,
  ...argv: string[]
): Promise<{ code: number; out: string; request: ExamineHostRequest | undefined }> {
  let request: ExamineHostRequest | undefined;
  const context = fakeContext(
    {
      examineHost: async (asked) => {
        request = asked;
        return report;
      },
    },
    { env: { HTTP_PROXY: 'x' } },
  );
  const code = await doctorCommand.execute({ path: 'mydocker doctor', argv }, context);
  return { code, out: context.out(), request };
}

describe('doctor', () => {
  it('prints what was found, what that means and the remedy', async () => {
    const { code, out } = await run(FINE);
    expect(code).toBe(0);
    expect(out).toBe(
      'ok        kernel            Linux 6.8\n' +
        'note      subordinate ids   none\n' +
        '                            means: one user\n' +
        '                            remedy: echo "a:1:2" | sudo tee\n' +
        '\n' +
        'Containers can run here.\n',
    );
  });

  it('exits with 1 if containers cannot run', async () => {
    const { code, out } = await run(BROKEN);
    expect(code).toBe(1);
    expect(out).toBe(
      'problem   seccomp   there is none\n' +
        '                    means: containers cannot run\n\nContainers cannot run here.\n',
    );
    expect((await run(BROKEN, '--format', '{{.State}}')).code).toBe(1);
  });

  it('prints only what is missing with -q', async () => {
    const { code, out } = await run(FINE, '-q');
    expect([code, out.split('\n')[0]]).toEqual([0, 'note      subordinate ids   none']);
    expect(out).not.toContain('kernel');
    expect((await run({ ...FINE, findings: FINE.findings.slice(0, 1) }, '-q')).out).toBe('');
  });

  it('takes formats', async () => {
    const { out } = await run(FINE, '--format', 'json');
    expect(out.split('\n')[1]).toBe(
      '{"Check":"subordinate ids","Found":"none","Meaning":"one user","Remedy":"echo \\"a:1:2\\" | sudo tee","State":"note"}',
    );
    expect((await run(FINE, '-q', '--format', '{{.Check}}: {{.Remedy}}')).out).toBe(
      'subordinate ids: echo "a:1:2" | sudo tee\n',
    );
    expect((await run(FINE, '--format', 'table')).out).toMatch(/^STATE {5}CHECK +FOUND +REMEDY\nok +kernel/);
  });

  it('uses the network only when told to', async () => {
    expect((await run(FINE)).request).toMatchObject({ network: false, env: { HTTP_PROXY: 'x' } });
    expect((await run(FINE, '--network', '--home', '/h')).request).toMatchObject({ network: true, home: '/h' });
  });
});
