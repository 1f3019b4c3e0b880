import { describe, expect, it } from 'vitest';

import { parseEnvironmentEntry, parseEnvironmentFile } from '../../src/container/parse-environment.ts';

const lookUp = (key: string): string | undefined => ({ FOUND: 'from the caller', EMPTY: '' })[key];

describe('parseEnvironmentEntry()', () => {
  it.for([
    ['A=b', 'A=b'],
    ['A=', 'A='],
    ['A=b=c d', 'A=b=c d'],
    ['FOUND', 'FOUND=from the caller'],
    ['EMPTY', 'EMPTY='],
    ['MISSING', 'MISSING'],
  ])('reads "%s"', ([text = '', expected]) => {
    expect(parseEnvironmentEntry(text, lookUp)).toBe(expected);
  });

  it.for(['', '=x', 'A=\0'])('refuses "%s"', (text) => {
    expect(() => parseEnvironmentEntry(text, lookUp)).toThrow('invalid environment variable');
  });
});

describe('parseEnvironmentFile()', () => {
  const parse = (text: string): string[] => parseEnvironmentFile(Buffer.from(text), 'vars', lookUp);

  it("reads variables by docker's rules", () => {
    const text = [
      '\uFEFFFIRST=1',
      '# comment',
      '   # comment too',
      '',
      '  LEADING=spaces are dropped',
      'TRAILING=are kept  ',
      'QUOTES="are" \'kept\'',
      'HASH=a # is no comment here',
      'EMPTY_VALUE=',
      'EQUALS=a=b',
      'FOUND',
      'MISSING',
      'CRLF=x\r',
      'LAST=1',
    ].join('\n');
    expect(parse(text)).toEqual([
      'FIRST=1',
      'LEADING=spaces are dropped',
      'TRAILING=are kept  ',
      'QUOTES="are" \'kept\'',
      'HASH=a # is no comment here',
      'EMPTY_VALUE=',
      'EQUALS=a=b',
      'FOUND=from the caller',
      'CRLF=x',
      'LAST=1',
    ]);
  });

  it.for([
    ['A=1\n=x', 'Cannot read "vars": line 2: no variable name on line "=x"'],
    ['A B=1', 'Cannot read "vars": line 1: variable "A B" contains whitespaces'],
    ['A =1', 'Cannot read "vars": line 1: variable "A " contains whitespaces'],
    ['export A=1', 'Cannot read "vars": line 1: variable "export A" contains whitespaces'],
    ['A=\0', 'Cannot read "vars": line 1: variable "A" contains a NUL'],
  ])('refuses %j', ([text = '', message]) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }) as Error);
  });

  it('refuses what is not UTF-8', () => {
    expect(() => parseEnvironmentFile(Uint8Array.of(0x41, 0x3d, 0xff), 'vars', lookUp)).toThrow('invalid UTF-8');
  });
});
