/** Charts of a contest as SVG, drawn by Observable Plot in a document that needs no browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { ContestResult } from '../contest/result.ts';
import type { Figure } from '../contest/statistics.ts';
import { type LegSummary, summarize } from '../contest/summary.ts';

/** One bar or dot with its spread. */
interface Mark {
  readonly title: string;
  readonly isOurs: boolean;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly label: string;
}

/** A chart of its own axis; two of them stand above each other in one file. */
interface Panel {
  readonly title: string;
  readonly scale: 'linear' | 'log';
  readonly marks: readonly Mark[];
  /** Where a line across stands, e.g. at the bound. */
  readonly reference?: { readonly value: number; readonly label: string };
}

const WIDTH = 720;
const LEFT = 190;
const ROW_HEIGHT = 24;
const HEAD_HEIGHT = 34;
const OURS = '#c2410c';
const OTHERS = '#64748b';
/** Least value that a logarithmic axis shows: less than the measurement can tell apart. */
const LOG_FLOOR = 0.1;

/** Reads a figure of each leg; legs without one are left out, and the tables say why. */
function marksOf(
  legs: readonly LegSummary[],
  pick: (leg: LegSummary) => Figure | undefined,
  write: (value: number) => string,
  factor = 1,
): Mark[] {
  return legs.flatMap((leg) => {
    const figure = pick(leg);
    if (!figure) return [];
    const value = figure.median * factor;
    return {
      title: leg.title,
      isOurs: leg.leg.startsWith('meshcc'),
      value,
      least: figure.min * factor,
      most: figure.max * factor,
      label: write(value),
    };
  });
}

/** A logarithmic axis has no zero. */
function clipped(mark: Mark): Mark {
  const clip = (value: number): number => Math.max(LOG_FLOOR, value);
  return { ...mark, value: clip(mark.value), least: clip(mark.least), most: clip(mark.most) };
}

function panelSvg(panel: Panel, y: number): { svg: string; height: number } {
  const { document } = parseHTML('<html></html>');
  const isLog = panel.scale === 'log';
  const marks = isLog ? panel.marks.map(clipped) : panel.marks;
  const height = HEAD_HEIGHT + ROW_HEIGHT * marks.length + 40;
  const titles = marks.map(({ title }) => title);
  const color = ({ isOurs }: Mark): string => (isOurs ? OURS : OTHERS);
  const shape = isLog
    ? Plot.dot(marks, { x: 'value', y: 'title', r: 5, fill: color })
    : Plot.barX(marks, { x: 'value', y: 'title', fill: color, insetTop: 2, insetBottom: 2 });
  const chart = Plot.plot({
    document,
    width: WIDTH,
    height,
    marginLeft: LEFT,
    marginRight: 60,
    marginTop: HEAD_HEIGHT,
    style: { background: 'white', color: '#1e293b', fontSize: '12px', fontFamily: 'sans-serif' },
    x: { type: panel.scale, label: null, grid: true, nice: true, ...(isLog ? { tickFormat: '~g' } : {}) },
    y: { domain: titles, label: null, type: 'band', tickSize: 0 },
    marks: [
      shape,
      Plot.ruleY(marks, { x1: 'least', x2: 'most', y: 'title', stroke: '#0f172a' }),
      Plot.text(marks, { x: 'most', y: 'title', text: 'label', dx: 8, textAnchor: 'start' }),
      ...(panel.reference
        ? [
            Plot.ruleX([panel.reference.value], { stroke: '#0f172a', strokeDasharray: '4 3' }),
            Plot.text([panel.reference.label], {
              x: panel.reference.value,
              frameAnchor: 'bottom',
              dy: 30,
              fill: '#0f172a',
            }),
          ]
        : []),
      Plot.text([panel.title], {
        frameAnchor: 'top-left',
        dx: -LEFT + 10,
        dy: -HEAD_HEIGHT + 8,
        fontSize: 14,
        fontWeight: 'bold',
      }),
    ],
  });
  chart.setAttribute('y', String(y));
  return { svg: chart.outerHTML, height };
}

/** Panels above each other in one SVG file. */
function stack(panels: readonly Panel[]): string {
  let y = 0;
  const parts: string[] = [];
  for (const panel of panels.filter(({ marks }) => marks.length > 0)) {
    const { svg, height } = panelSvg(panel, y);
    parts.push(svg);
    y += height;
  }
  const attributes = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}"`;
  return `<svg ${attributes}><rect width="${WIDTH}" height="${y}" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}

/** Whole numbers from ten on, one digit below. */
const rounded = (value: number): string => value.toFixed(value >= 10 ? 0 : 1);

/** The charts by file name. */
export function renderCharts(result: ContestResult): Readonly<Record<string, string>> {
  const legs = summarize(result.runs, result.legs);
  const contestants = legs.filter(({ leg }) => leg !== 'floor');
  const { workload } = result.settings;
  const unit = `${workload}, ${result.workload.units} units`;
  const submitter = marksOf(contestants, ({ corrected }) => corrected?.aboveFloorMsPerUnit, rounded);
  const wall = marksOf(legs, ({ corrected }) => corrected?.wallSeconds, rounded);
  const total = marksOf(
    contestants,
    ({ corrected }) => corrected?.totalToLocal,
    (value) => value.toFixed(2),
  );
  const sent = marksOf(
    contestants.filter(({ sentBytes }) => (sentBytes?.median ?? 0) > 1e5),
    ({ sentBytes }) => sentBytes,
    rounded,
    1e-6,
  );
  return {
    'time.svg': stack([
      {
        title: `CPU that a unit costs the submitter, above the floor, ms (${unit}; logarithmic)`,
        scale: 'log',
        marks: submitter,
      },
      { title: 'Wall time of the build, s', scale: 'linear', marks: wall },
    ]),
    'cost.svg': stack([
      {
        title: `CPU of all hosts beside a local build (${unit})`,
        scale: 'linear',
        marks: total,
        reference: { value: 1, label: 'local' },
      },
      { title: 'Sent by the submitter, MB (logarithmic)', scale: 'log', marks: sent },
    ]),
  };
}
