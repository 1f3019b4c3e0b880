import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTerminalLines } from '../../../src/cli/progress/terminal-lines.ts';
import { fakeOutput } from '../support/fake-context.ts';
import { screen } from '../support/screen.ts';

describe('createTerminalLines()', () => {
  it('rewrites a line in place', () => {
    const output = fakeOutput({ columns: 80, rows: 24 });
    const lines = createTerminalLines(output);
    lines.set('a', 'a: 1', false);
    lines.set('b', 'b: 1', false);
    lines.set('a', 'a: 2', true);
    lines.print('end\n');
    expect(screen(output.text(), 24)).toEqual(['a: 2', 'b: 1', 'end']);
  });

  it('leaves lines that were printed alone', () => {
    const output = fakeOutput({ columns: 80, rows: 24 });
    const lines = createTerminalLines(output);
    lines.set('a', 'a: 1', false);
    lines.print('between\n');
    lines.set('a', 'a: 2', false);
    expect(screen(output.text(), 24)).toEqual(['a: 1', 'between', 'a: 2']);
  });

  it('ends with each line in its final state, once, however few rows there are', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 99 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 2, max: 14 }), (updates, rows) => {
        const output = fakeOutput({ columns: 80, rows });
        const lines = createTerminalLines(output);
        const ids = new Set<number>();
        for (const [id, value] of updates) {
          lines.set(`${id}`, `${id}: ${value}`, false);
          ids.add(id);
        }
        for (const id of ids) lines.set(`${id}`, `${id}: done`, true);
        lines.print('end\n');
        const shown = screen(output.text(), rows);
        expect(shown.at(-1)).toBe('end');
        expect(shown.slice(0, -1).sort()).toEqual(Array.from(ids, (id) => `${id}: done`).sort());
      }),
    );
  });
});
