import { describe, expect, it } from 'vitest';
import { alignColumns } from '../../src/cli/table-writer.ts';

describe('alignColumns()', () => {
  it('gives a column its widest cell and three spaces, ten columns at least', () => {
    expect(alignColumns('REPOSITORY\tTAG\tSIZE\nalpine\t3.19\t7MB\nregistry/x\tlatest\t1GB\n')).toBe(
      'REPOSITORY   TAG       SIZE\nalpine       3.19      7MB\nregistry/x   latest    1GB\n',
    );
  });

  it('does not pad what follows the last tab', () => {
    expect(alignColumns('a\tb\nc\td\n')).toBe('a         b\nc         d\n');
  });

  it('keeps an empty cell', () => {
    expect(alignColumns('ID\tPORTS\tNAMES\nx\t\tweb\n')).toBe('ID        PORTS     NAMES\nx                   web\n');
  });

  // Columns end where a line has no such cell: what docker printed for `table {{if eq .Tag "latest"}}x\ty\t{{end}}{{.ID}}\tz`.
  it('aligns only neighbouring lines that have the column', () => {
    const text = 'IMAGE ID\tz\naaaaaaaaaaaa\tz\nx\ty\tcccccccccccc\tz\n';
    expect(alignColumns(text)).toBe('IMAGE ID       z\naaaaaaaaaaaa   z\nx              y         cccccccccccc   z\n');
    expect(alignColumns('a-long-cell\tx\nno cells\nb\tx\n')).toBe('a-long-cell   x\nno cells\nb         x\n');
  });

  it('counts wide characters twice and combining ones not at all', () => {
    expect(alignColumns('日本語日本語\tx\ne\u0301e\u0301\tx\n')).toBe(
      '日本語日本語   x\ne\u0301e\u0301             x\n',
    );
  });
});
