import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createMessageDecoder, encodeMessage } from '../../../src/container/session/message.ts';
import type { Message } from '../../../src/container/session/message.ts';

const FAILURE = { code: 'ERR_CONTAINER' as const, message: 'Cannot', hint: 'Do.', trace: 'at …' };

const MESSAGES: Message[] = [
  { kind: 'run', bytes: Uint8Array.of(0, 255) },
  { kind: 'attach', version: 1 },
  { kind: 'keys', bytes: Uint8Array.of(3) },
  { kind: 'keys', bytes: new Uint8Array() },
  { kind: 'size', columns: 80, rows: 24 },
  { kind: 'signal', name: 'SIGTERM' },
  { kind: 'hangUp' },
  { kind: 'abort' },
  { kind: 'detach' },
  { kind: 'started' },
  { kind: 'created', id: 'a', name: 'b' },
  { kind: 'output', bytes: Uint8Array.from({ length: 300 }, (_, index) => index % 256) },
  { kind: 'ended', containerId: 'a', exitCode: 137, isOutOfMemory: true },
  { kind: 'failed', failure: FAILURE },
  { kind: 'detached' },
];

function frame(kind: number, body: string, length = Buffer.byteLength(body)): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32LE(length);
  header.writeUInt8(kind, 4);
  return Buffer.concat([header, Buffer.from(body)]);
}

describe('encodeMessage(), createMessageDecoder()', () => {
  it.each(MESSAGES.map((message) => [message.kind, message] as const))('keep all of %s', (_, message) => {
    expect(createMessageDecoder()(encodeMessage(message))).toEqual([message]);
  });

  it('have this form', () => {
    expect(encodeMessage({ kind: 'keys', bytes: Buffer.from('ls') })).toEqual(frame(2, 'ls'));
    expect(encodeMessage({ kind: 'size', columns: 80, rows: 24 })).toEqual(frame(3, '{"columns":80,"rows":24}'));
  });

  it('give the same messages for any way to cut the bytes', () => {
    const messages = fc.array(fc.constantFrom(...MESSAGES), { maxLength: 6 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 400 }), { maxLength: 10 }), (sent, lengths) => {
        const bytes = Buffer.concat(sent.map(encodeMessage));
        const decode = createMessageDecoder();
        const received: Message[] = [];
        let at = 0;
        for (const length of lengths) {
          received.push(...decode(bytes.subarray(at, at + length)));
          at += length;
        }
        received.push(...decode(bytes.subarray(at)));
        expect(received).toEqual(sent);
      }),
    );
  });

  it.each([
    ['of an unknown kind', frame(200, '{}')],
    ['too long', frame(2, '', 16 * 1024 * 1024 + 1)],
    ['no JSON', frame(3, '{')],
    ['no object', frame(3, 'null')],
    ['a size without numbers', frame(3, '{"columns":"80","rows":24}')],
    ['a negative size', frame(3, '{"columns":-1,"rows":24}')],
    ['no name of a signal', frame(4, '{"name":"TERM"}')],
    ['an end without its code', frame(10, '{"containerId":"a","isOutOfMemory":false}')],
    ['a failure without anything', frame(11, '{"failure":null}')],
  ])('refuse what is %s', (_, bytes) => {
    expect(() => createMessageDecoder()(bytes)).toThrow();
  });

  it('do not let a body say that it is of another kind', () => {
    expect(createMessageDecoder()(frame(5, '{"kind":"detach"}'))).toEqual([{ kind: 'hangUp' }]);
  });
});
