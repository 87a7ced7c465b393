/** What each call pays to be sure that nothing changed, beside looking at each file. */
import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeaderTree } from './header-tree.ts';
import { cpuMsOf, type Part, scaled } from './part.ts';
import { freshFinders } from './unit-finder.ts';

const UNIT = 'ms of CPU per unit';
const LSTAT = 'lstat of the same 600 files';
const REPEATS = 100;
const REWRITES = 20;

export const closurePart: Part = {
  name: 'closure',
  what: 'the inputs of a unit seen before, made sure to be those on the disk now',
  async open(context) {
    const tree = writeHeaderTree(join(context.directory, 'tree'));
    const open = await freshFinders(tree, join(context.directory, 'scratch'));
    const finder = open();
    const [unit = ''] = tree.units;
    const [header = ''] = tree.headers.slice(-1);
    await finder.refresh();
    await finder.job(unit);
    let rewrites = 0;
    const each = async (count: number, work: () => Promise<unknown> | unknown): Promise<number> =>
      (await cpuMsOf(async () => {
        for (let repeat = 0; repeat < count; repeat++) await work();
      })) / count;
    const lookAtAll = (): void => {
      for (const path of tree.headers) lstatSync(path);
    };
    const answer = async (): Promise<void> => {
      await finder.refresh();
      await finder.job(unit);
    };
    return {
      series: [
        { name: LSTAT, unit: UNIT, measure: () => each(scaled(context, REPEATS), lookAtAll) },
        {
          name: 'refresh, nothing changed',
          unit: UNIT,
          measure: () => each(scaled(context, REPEATS), () => finder.refresh()),
        },
        {
          name: 'refresh and inputs, nothing changed',
          unit: UNIT,
          measure: () => each(scaled(context, REPEATS), answer),
        },
        {
          name: 'refresh and inputs, one header rewritten',
          unit: UNIT,
          measure: () =>
            each(scaled(context, REWRITES), () => {
              writeFileSync(header, `#define REWRITTEN ${++rewrites}\n`);
              return answer();
            }),
        },
      ],
      lines: [
        'refresh, nothing changed',
        'refresh and inputs, nothing changed',
        'refresh and inputs, one header rewritten',
      ].map((series) => ({ series, reference: LSTAT })),
      notes: [],
      close: async () => finder.close(),
    };
  },
};
