import { describe, expect, it } from 'vitest';

import { parseSignal, signalOfImage } from '../../src/container/parse-signal.ts';

describe('parseSignal()', () => {
  it.for([
    ['SIGTERM', 15],
    ['TERM', 15],
    ['term', 15],
    ['sigint', 2],
    ['9', 9],
    ['09', 9],
    ['64', 64],
    ['CLD', 17],
    ['POLL', 29],
    ['STKFLT', 16],
    ['WINCH', 28],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMIN+30', 64],
    ['RTMAX', 64],
    ['RTMAX-14', 50],
    ['RTMAX-30', 34],
  ] as const)('reads "%s"', ([text, number]) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.for([
    '',
    '0',
    '-1',
    '65',
    '1e1',
    '0x9',
    ' 9',
    'SIG',
    'SIGSIGINT',
    'FOO',
    'toString',
    'RTMIN-1',
    'RTMIN+31',
    'RTMAX+1',
    'RTMAX-31',
    'RTMIN+',
  ])('refuses "%s"', (text) => {
    expect(() => parseSignal(text)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: `invalid signal: ${text}` }) as Error,
    );
  });

  it('shows no control characters', () => {
    expect(() => parseSignal('\u001b[31m')).toThrow(String.raw`invalid signal: \x1b[31m`);
  });
});

describe('signalOfImage()', () => {
  it.for([
    ['SIGQUIT', 3],
    ['nonsense', undefined],
    [undefined, undefined],
  ] as const)('takes %j for %j', ([text, number]) => {
    expect(signalOfImage(text)).toBe(number);
  });
});
