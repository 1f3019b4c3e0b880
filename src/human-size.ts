const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

/**
 * A size in bytes as docker prints it: decimal units, at most `digits` significant digits, no space (`72.9MB`).
 * Source: HumanSizeWithPrecision of https://github.com/docker/go-units/blob/v0.5.0/size.go; 3 digits in tables, 4 in progress.
 */
export function humanSize(bytes: number, digits: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${formatSignificant(size, digits)}${UNITS[unit] ?? ''}`;
}

/**
 * Go's `%.*g`: what does not fit into `digits` significant digits gets an exponent (999.9 with 3 digits is `1e+03`),
 * trailing zeros go, and a tie is rounded to the even digit, where `toPrecision` would round up.
 */
export function formatSignificant(value: number, digits: number): string {
  if (value === 0) return '0';
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential(EXACT_DIGITS).split('e');
  let exponent = Number(exponentText);
  let kept = roundHalfEven(mantissa.replace('.', ''), digits);
  if (kept.length > digits) {
    kept = kept.slice(0, digits);
    exponent += 1;
  }
  const sign = value < 0 ? '-' : '';
  if (exponent < -4 || exponent >= digits) {
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${withPoint(kept, 1)}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  return sign + (exponent < 0 ? withPoint('0'.repeat(-exponent) + kept, 1) : withPoint(kept, exponent + 1));
}

const EXACT_DIGITS = 60; // a double between 1 and 1000 has at most 53 binary, so 53 decimal, places

/** The first `count` of `digits`, rounded; one digit longer when the rounding carried over. */
function roundHalfEven(digits: string, count: number): string {
  const kept = digits.slice(0, count);
  const rest = digits.slice(count).replace(/0+$/, '');
  const isOdd = Number(kept.at(-1)) % 2 === 1;
  const up = rest === '5' ? isOdd : rest >= '5';
  return up ? String(BigInt(kept) + 1n) : kept;
}

function withPoint(digits: string, whole: number): string {
  const fraction = digits.slice(whole).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, whole) : `${digits.slice(0, whole)}.${fraction}`;
}
