/** The command line of `npm run bench:mesh`. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError } from '../bench-error.ts';
import { WORKLOADS } from '../workloads/index.ts';
import type { Contestant } from './contestant.ts';
import { CONTESTANTS } from './contestants.ts';
import type { ContestSettings } from './result.ts';

const OPTIONS = {
  workload: { type: 'string' },
  contestants: { type: 'string' },
  rounds: { type: 'string' },
  'laptop-rounds': { type: 'string' },
  boards: { type: 'string' },
  'laptop-cpu': { type: 'string' },
  'board-cpu': { type: 'string' },
  slots: { type: 'string', default: '2' },
  jobs: { type: 'string' },
  rate: { type: 'string', default: '1gbit' },
  delay: { type: 'string' },
  cache: { type: 'string', default: join(homedir(), '.cache', 'meshcc-bench') },
  results: { type: 'string' },
  resume: { type: 'boolean', default: false },
  short: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const OPTIONS_DEFAULTS: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(OPTIONS).map(([name, option]) => [name, 'default' in option ? option.default : undefined]),
);

/** What options are when they are not given; the short form only shows that everything works. */
interface Defaults {
  readonly workload: string;
  readonly contestants: readonly string[];
  readonly rounds: number;
  readonly boards: number;
  readonly laptopCores: number;
  readonly boardCores: number;
}

const FULL: Defaults = {
  workload: 'small',
  contestants: [...CONTESTANTS.keys()],
  rounds: 3,
  boards: 4,
  laptopCores: 0.3,
  boardCores: 0.35,
};

const SHORT: Defaults = {
  workload: 'fifteen',
  contestants: ['local', 'floor', 'distcc', 'meshcc'],
  rounds: 1,
  boards: 2,
  laptopCores: 0.5,
  boardCores: 0.5,
};

/** They share one /24 network with the laptop. */
const MAX_BOARDS = 200;

/** man 8 tc, RATES. */
const RATE = /^\d+(?:\.\d+)?(?:[kmgt]i?)?(?:bit|bps)?$/i;

/** A laptop with a part of a core; more would only make its compilers wait for each other. */
const LAPTOP_JOBS = 2;

/** What is wanted of a contest. */
export interface Wanted {
  /** To repeat it elsewhere with these contestants: without the options that name directories of this machine. */
  readonly commandWith: (contestants: readonly Contestant[]) => string;
  readonly settings: ContestSettings;
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  /** Rounds of the contestants that compile on the laptop. */
  readonly laptopRounds: number;
  readonly cacheDirectory: string;
  readonly resultsDirectory: string;
  readonly isResumed: boolean;
  readonly isShort: boolean;
}

const list = (names: Iterable<string>): string => [...names].join(', ');

export const USAGE = `usage: npm run bench:mesh -- [options]       (root; about 1.5 hours, see docs/benchmarks.md)
  --workload NAME      ${list(WORKLOADS.keys())} (${FULL.workload})
  --contestants LIST   of ${list(CONTESTANTS.keys())} (all)
  --rounds N           runs of each contestant (${FULL.rounds})
  --laptop-rounds N    runs of those that compile on the laptop: local, ccache, sccache (as --rounds)
  --boards N           (${FULL.boards})
  --laptop-cpu CORES   CPU quota of the laptop (${FULL.laptopCores})
  --board-cpu CORES    CPU quota of each board (${FULL.boardCores})
  --slots N            compiles that a board takes at once (2)
  --jobs N             make -jN for contestants that compile on boards (slots of all boards + 4)
  --rate RATE          of every link, as tc writes it, or none (1gbit)
  --delay MS           of every packet on each link and direction; needs sch_netem (none)
  --results DIR        where runs, logs and result go (below the cache, named after workload and time)
  --resume             go on in --results DIR with what is missing there
  --cache DIR          sources, trees and references (~/.cache/meshcc-bench)
  --short              ${SHORT.workload}, ${SHORT.contestants.join(', ')}, one round: shows that everything works`;

type Values = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS }).values;
}

function positive(text: string | undefined, fallback: number, option: string): number {
  const value = text === undefined ? fallback : Number(text);
  if (value > 0) return value;
  throw new BenchError(`${option} must be a number above 0, not ${text}`);
}

function whole(text: string | undefined, fallback: number, option: string): number {
  const value = positive(text, fallback, option);
  if (Number.isInteger(value)) return value;
  throw new BenchError(`${option} must be a whole number, not ${text}`);
}

function chosenContestants(names: readonly string[]): Contestant[] {
  return names.map((name) => {
    const contestant = CONTESTANTS.get(name);
    if (contestant) return contestant;
    throw new BenchError(`no contestant ${name}; there are ${list(CONTESTANTS.keys())}`);
  });
}

function contestSettings(values: Values, defaults: Defaults): ContestSettings {
  const workload = values.workload ?? defaults.workload;
  if (!WORKLOADS.has(workload)) {
    throw new BenchError(`no workload ${workload}; there are ${list(WORKLOADS.keys())}`);
  }
  const boards = whole(values.boards, defaults.boards, '--boards');
  if (boards > MAX_BOARDS) throw new BenchError(`--boards is ${MAX_BOARDS} at most, not ${boards}`);
  if (values.rate !== 'none' && !RATE.test(values.rate))
    throw new BenchError(`--rate is a rate as tc writes it, such as 100mbit, or none, not ${values.rate}`);
  const slotsPerBoard = whole(values.slots, 2, '--slots');
  return {
    workload,
    shape: {
      boards,
      laptopCores: positive(values['laptop-cpu'], defaults.laptopCores, '--laptop-cpu'),
      boardCores: positive(values['board-cpu'], defaults.boardCores, '--board-cpu'),
      rate: values.rate === 'none' ? undefined : values.rate,
      delayMs: values.delay === undefined ? undefined : positive(values.delay, 0, '--delay'),
    },
    slotsPerBoard,
    boardJobs: whole(values.jobs, boards * slotsPerBoard + 4, '--jobs'),
    laptopJobs: LAPTOP_JOBS,
  };
}

function repeatableCommand(
  { cache: _, results: __, resume: ___, ...values }: Values,
  defaults: Defaults,
  contestants: readonly Contestant[],
): string {
  const names = contestants.map(({ name }) => name);
  const isUsual = [...names].sort().join() === [...defaults.contestants].sort().join();
  const wanted = { ...values, contestants: isUsual ? undefined : names.join(',') };
  const options = Object.entries(wanted).flatMap(([name, value]) =>
    value === OPTIONS_DEFAULTS[name] ? [] : [value === true ? `--${name}` : `--${name} ${value}`],
  );
  return ['npm run bench:mesh --', ...options].join(' ').replace(/ --$/, '');
}

/**
 * Reads the command line.
 * @param args what stands behind the program's name
 * @returns undefined if only help is wanted
 * @throws BenchError for what cannot be
 */
export function wantedContest(args: readonly string[]): Wanted | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const defaults = values.short ? SHORT : FULL;
  const settings = contestSettings(values, defaults);
  const rounds = whole(values.rounds, defaults.rounds, '--rounds');
  const cacheDirectory = resolve(values.cache);
  if (values.resume && values.results === undefined) {
    throw new BenchError('--resume goes on in a directory: name it with --results');
  }
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  const ownDirectory = join(cacheDirectory, 'results', `${settings.workload}-${time}-${process.pid}`);
  return {
    commandWith: (contestants) => repeatableCommand(values, defaults, contestants),
    settings,
    contestants: chosenContestants(
      values.contestants?.split(',').map((name) => name.trim()) ?? defaults.contestants,
    ),
    rounds,
    laptopRounds: whole(values['laptop-rounds'], rounds, '--laptop-rounds'),
    cacheDirectory,
    resultsDirectory: values.results === undefined ? ownDirectory : resolve(values.results),
    isResumed: values.resume,
    isShort: values.short,
  };
}
