import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import { ToolError } from '../../../src/errors.ts';

/** Expects a ToolError of this code whose message holds `text`, and nothing that a terminal would act on. */
export function expectToolError(action: () => unknown, code: ErrorCode, text: string): void {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(ToolError);
  const { code: actual, message } = caught as ToolError;
  expect({ code: actual, message }).toEqual({ code, message: expect.stringContaining(text) as string });
  expect(message).toMatch(/^Cannot [a-z ]+ "/);
  // eslint-disable-next-line no-control-regex -- controls are what must not be there
  expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
}
