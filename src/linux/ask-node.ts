import type { Step } from './program.ts';
import { encodeRecord, RECORD_SIZE } from './records.ts';

/** Steps that tell Node a record, one of RECORD that it answers, and wait until it has done its part. */
export function askNodeSteps(record: number, what: string): Step[] {
  const control = { descriptor: 'control' } as const;
  return [
    { call: 'write', args: [control, encodeRecord({ step: record, value: 0 }), RECORD_SIZE], what },
    { call: 'read', args: [control, Buffer.alloc(1), 1], atLeast: 1, what },
  ];
}
