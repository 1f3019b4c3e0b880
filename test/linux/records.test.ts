import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecords, encodeRecord } from '../../src/linux/records.ts';

describe('decodeRecords()', () => {
  it('finds what encodeRecord() wrote, wherever the stream is cut', () => {
    const record = fc.record({ step: fc.integer(), value: fc.integer() });
    fc.assert(
      fc.property(fc.array(record), fc.nat(), (records, position) => {
        const bytes = Buffer.concat(records.map(encodeRecord));
        const cut = position % (bytes.length + 1);
        const first = decodeRecords(bytes.subarray(0, cut));
        const second = decodeRecords(Buffer.concat([first.rest, bytes.subarray(cut)]));
        expect([...first.records, ...second.records]).toEqual(records);
        expect(second.rest).toHaveLength(0);
      }),
    );
  });
});
