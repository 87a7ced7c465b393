/** Finding what a unit reads, from nothing and from memory, beside the compiler that is asked for the same. */
import { join } from 'node:path';
import { buildNativeProgram } from '../../src/base/native-program.ts';
import { GCC } from '../../test/worker/real-toolchains.ts';
import { CACHE, measure } from '../shim/shim-bench.ts';
import { writeHeaderTree } from './header-tree.ts';
import { cpuMsOf, type Part, scaled } from './part.ts';
import { freshFinders, type UnitFinder } from './unit-finder.ts';

const UNIT = 'ms of CPU per unit';
const GCC_M = 'gcc -M';
const CALLS = 6;
const PASSES = 10;

export const scannerPart: Part = {
  name: 'scanner',
  what: 'the list of what a unit of 600 headers reads',
  async open(context) {
    const tree = writeHeaderTree(join(context.directory, 'tree'));
    const open = await freshFinders(tree, join(context.directory, 'scratch'));
    const driver = await buildNativeProgram({ name: 'spawn-many', source: 'bench/spawn-many.c' }, CACHE);
    const [first = '', ...others] = tree.units;
    let finder: UnitFinder = open();
    const scan = async (units: readonly string[], passes = 1): Promise<number> => {
      const ms = await cpuMsOf(async () => {
        for (let pass = 0; pass < passes; pass++) for (const unit of units) await finder.closure(unit);
      });
      return ms / units.length / passes;
    };
    const gccM = (): Promise<number> => {
      const callsPerRound = scaled(context, CALLS);
      const search = tree.argumentsOf(first).filter((arg) => arg.startsWith('-I') || arg.startsWith('-D'));
      const inTree = search.map((arg) => arg.replace(/^-I/, `-I${tree.directory}/`));
      const command = [GCC, '-M', ...inTree, join(tree.directory, first), '-o', '/dev/null'];
      return measure(driver, { name: GCC_M, callsPerRound, command }, process.env).then(({ cpuMs }) => cpuMs);
    };
    return {
      series: [
        { name: GCC_M, unit: UNIT, measure: gccM },
        {
          name: 'first unit of a tree',
          unit: UNIT,
          measure: async () => {
            finder.close();
            finder = open();
            await finder.refresh();
            return scan([first]);
          },
        },
        { name: 'a further unit, new', unit: UNIT, measure: () => scan(others) },
        {
          name: 'a unit seen before',
          unit: UNIT,
          measure: () => scan(tree.units, scaled(context, PASSES)),
        },
      ],
      lines: ['first unit of a tree', 'a further unit, new', 'a unit seen before'].map((series) => ({
        series,
        reference: GCC_M,
      })),
      notes: ['What the compiler tells about itself (search directories) is asked once, and not counted.'],
      close: async () => finder.close(),
    };
  },
};
