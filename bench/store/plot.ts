import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '#libs/project-files';
import type { GrowthPoint, Search } from './measures/growth.js';

const WIDTH = 760;
const HEIGHT = 440;
const LEFT = 64;
const RIGHT = 150;
const TOP = 48;
const BOTTOM = 56;
/** Lines' names stand at least so far apart, in pixels. */
const NAME_HEIGHT = 16;

const series: { search: Search; name: string }[] = [
  { search: 'exact', name: 'vectors, exact' },
  { search: 'hnsw', name: 'vectors, HNSW' },
  { search: 'bm25', name: 'BM25' },
  { search: 'hybrid', name: 'hybrid, complete' },
];

/** Okabe and Ito's colours, told apart by most eyes, a shade lighter on dark pages. */
const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .grid { stroke: #8c959f; stroke-opacity: 0.3; }
  polyline { fill: none; stroke-width: 2.5; }
  .exact { stroke: #d55e00; } .exact-fill { fill: #d55e00; }
  .hnsw { stroke: #0072b2; } .hnsw-fill { fill: #0072b2; }
  .bm25 { stroke: #00795a; } .bm25-fill { fill: #00795a; }
  .hybrid { stroke: #a3487c; } .hybrid-fill { fill: #a3487c; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .exact { stroke: #f08a4b; } .exact-fill { fill: #f08a4b; }
    .hnsw { stroke: #56b4e9; } .hnsw-fill { fill: #56b4e9; }
    .bm25 { stroke: #2fc79a; } .bm25-fill { fill: #2fc79a; }
    .hybrid { stroke: #e08fbd; } .hybrid-fill { fill: #e08fbd; }
  }`;

/** docs/store-growth.svg: p50 of each search against the number of chunks, both axes logarithmic. */
export async function writePlot(points: readonly GrowthPoint[]): Promise<void> {
  await writeFile(join(projectFolder, 'docs', 'store-growth.svg'), growthPlot(points));
}

export function growthPlot(points: readonly GrowthPoint[]): string {
  const sizes = points.map(({ size }) => size);
  const latencies = points.flatMap((point) => series.map(({ search }) => point.searches[search].p50));
  const x = logScale(sizes, [LEFT, WIDTH - RIGHT]);
  const y = logScale(latencies, [HEIGHT - BOTTOM, TOP]);
  const columns = sizes.map(
    (size) => `
  <line class="grid" x1="${x.of(size)}" y1="${TOP}" x2="${x.of(size)}" y2="${HEIGHT - BOTTOM}"/>
  <text x="${x.of(size)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${size / 1_000}k</text>`,
  );
  const rows = y.powers.map(
    (ms) => `
  <line class="grid" x1="${LEFT}" y1="${y.of(ms)}" x2="${WIDTH - RIGHT}" y2="${y.of(ms)}"/>
  <text x="${LEFT - 8}" y="${y.of(ms) + 4}" text-anchor="end">${ms}</text>`,
  );
  const lines = series.map(({ search }) => {
    const places = points.map(({ size, searches }) => [x.of(size), y.of(searches[search].p50)] as const);
    const dots = places.map(([cx, cy]) => `<circle class="${search}-fill" cx="${cx}" cy="${cy}" r="4"/>`);
    return `
  <polyline class="${search}" points="${places.map((place) => place.join(',')).join(' ')}"/>
  ${dots.join('')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">
  <title id="title">Search latency against the number of chunks</title>
  <style>${style}
  </style>
  <text class="title" x="${LEFT}" y="24">p50 of a search, milliseconds, by chunks in the store</text>${columns.join('')}${rows.join('')}${lines.join('')}${names(points.at(-1)!, y.of)}
  <text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">chunks (one client through pgBouncer, 2 cores)</text>
</svg>
`;
}

/** At the lines' right ends, moved apart where they would overlap. */
function names(last: GrowthPoint, y: (ms: number) => number): string {
  const placed = series
    .map(({ search, name }) => ({ search, name, at: y(last.searches[search].p50) }))
    .sort((a, b) => a.at - b.at);
  for (let index = 1; index < placed.length; index += 1)
    placed[index]!.at = Math.max(placed[index]!.at, placed[index - 1]!.at + NAME_HEIGHT);
  return placed
    .map(
      ({ search, name, at }) => `
  <text x="${WIDTH - RIGHT + 12}" y="${at + 4}"><tspan class="${search}-fill">${name}</tspan></text>`,
    )
    .join('');
}

function logScale(values: readonly number[], [start, end]: [number, number]) {
  const low = Math.log10(Math.min(...values)) - 0.08;
  const high = Math.log10(Math.max(...values)) + 0.08;
  const of = (value: number) =>
    Math.round(start + ((Math.log10(value) - low) / (high - low)) * (end - start));
  const powers = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000].filter(
    (value) => Math.log10(value) >= low && Math.log10(value) <= high,
  );
  return { of, powers };
}
