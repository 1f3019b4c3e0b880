// A line plot as SVG: what grows, and how.

const [WIDTH, HEIGHT, MARGIN] = [480, 240, 44];

/** `points` are [{x, y}] with y in seconds; the x axis is logarithmic where the largest is 50 times the smallest. */
export function plot({ title, unit, points }) {
  const xs = points.map(({ x }) => x);
  const isLogarithmic = Math.max(...xs) / Math.min(...xs) >= 50;
  const scale = isLogarithmic ? Math.log10 : (x) => x;
  const [first, last] = [scale(Math.min(...xs)), scale(Math.max(...xs))];
  const top = Math.max(...points.map(({ y }) => y)) * 1.15;
  const across = (x) => MARGIN + ((scale(x) - first) / (last - first || 1)) * (WIDTH - 2 * MARGIN);
  const down = (y) => HEIGHT - MARGIN - (y / top) * (HEIGHT - 2 * MARGIN);
  const line = points.map(({ x, y }) => `${across(x).toFixed(1)},${down(y).toFixed(1)}`).join(' ');
  const marks = points.flatMap(({ x, y }) => [
    `<circle cx="${across(x).toFixed(1)}" cy="${down(y).toFixed(1)}" r="3" fill="#1f6feb"/>`,
    text(across(x), down(y) - 8, `${(y * 1000).toFixed(0)} ms`),
    text(across(x), HEIGHT - MARGIN + 16, String(x)),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(WIDTH / 2, 18, title),
    text(WIDTH / 2, HEIGHT - 10, isLogarithmic ? `${unit}, logarithmic` : unit),
    `<path d="M${MARGIN} ${MARGIN}V${HEIGHT - MARGIN}H${WIDTH - MARGIN}" fill="none" stroke="#888"/>`,
    `<polyline points="${line}" fill="none" stroke="#1f6feb" stroke-width="2"/>`,
    ...marks,
    '</svg>',
    '',
  ].join('\n');
}

function text(x, y, content) {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="middle">${content}</text>`;
}
