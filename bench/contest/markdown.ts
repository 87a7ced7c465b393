/** A result as Markdown: tables, the machine, and what could distort the figures. */
import { type Row, shown, table } from '../markdown-table.ts';
import { companionsOf, foreignCores, workingQuotaCores } from './companions.ts';
import type { SetupCost } from './contestant.ts';
import { totalCpuSeconds } from './measure.ts';
import type { ContestResult, RunRecord } from './result.ts';
import { median } from './statistics.ts';
import { isGood, type LegFigures, type LegSummary, standardMs, summarize } from './summary.ts';
import { calibrationMs } from './yardstick.ts';

/** Load from outside the hosts that a reader should know of, in cores. */
const NOTABLE_LOAD_CORES = 0.3;
/** Spread of the yardstick that a reader should know of. */
const NOTABLE_SPREAD = 0.1;

function timeRows(legs: readonly LegSummary[], figures: (leg: LegSummary) => LegFigures | undefined): Row[] {
  return legs.map((leg) => {
    const f = figures(leg);
    return [
      leg.title,
      shown(f?.wallSeconds, 1),
      shown(f?.submitterMsPerUnit, 1),
      leg.leg === 'floor' ? '–' : shown(f?.aboveFloorMsPerUnit, 1),
      shown(f?.totalToLocal, 2),
    ];
  });
}

const TIME_HEAD: Row = [
  'contestant',
  'wall s',
  'submitter CPU ms/unit',
  'above the floor ms/unit',
  'CPU of all hosts / local',
];

/** Wall time and CPU, corrected and raw. */
function timeTables(legs: readonly LegSummary[]): string {
  return [
    '### Time, corrected by the yardstick',
    table(
      TIME_HEAD,
      timeRows(legs, ({ corrected }) => corrected),
    ),
    '### Time, as measured',
    table(
      TIME_HEAD,
      timeRows(legs, ({ raw }) => raw),
    ),
  ].join('\n\n');
}

function equalityOf(runs: readonly RunRecord[], part: 'objects' | 'depfiles'): string {
  const worst = runs.map((run) => run[part]).sort((a, b) => a.identical - b.identical)[0];
  return worst ? `${worst.identical}/${worst.total}` : '–';
}

function trafficTable({ runs }: ContestResult, legs: readonly LegSummary[]): string {
  const rows = legs.map((leg) => {
    const own = runs.filter((run) => run.leg === leg.leg);
    return [
      leg.title,
      shown(leg.sentBytes, 1, 1e-6),
      shown(leg.receivedBytes, 1, 1e-6),
      shown(leg.busiestBoardBytes, 1, 1e-6),
      shown(leg.localUnits, 0),
      equalityOf(own, 'objects'),
      equalityOf(own, 'depfiles'),
      leg.badRuns === 0 ? String(leg.runs) : `${leg.runs}, **${leg.badRuns} FAILED**`,
    ];
  });
  const head = [
    'contestant',
    'sent by the submitter MB',
    'received MB',
    'busiest board link MB',
    'units not on boards',
    'objects identical',
    'depfiles identical',
    'runs',
  ];
  return `### Network and equality\n\n${table(head, rows)}`;
}

function setupLines({ runs, legs }: ContestResult): string[] {
  return legs.flatMap(({ name, title }) => {
    const costs = runs.filter((run) => run.leg === name).flatMap(({ setup }) => setup ?? []);
    const [first] = costs;
    if (!first) return [];
    const middle = (pick: (cost: SetupCost) => number): number => median(costs.map(pick));
    const figures = [
      `${middle((cost) => cost.wallSeconds).toFixed(1)} s`,
      `${middle((cost) => cost.laptopCpuSeconds).toFixed(1)} CPU s of the submitter`,
      `${middle((cost) => cost.totalCpuSeconds).toFixed(1)} of all hosts`,
      `${(middle((cost) => cost.laptopSentBytes) / 1e6).toFixed(0)} MB`,
    ];
    return [`- ${title}: once for many builds, and in no row, ${first.what}: ${figures.join(', ')}.`];
  });
}

/** Runs of one contest at the same time, by several processes of the benchmark. */
function companyLines(runs: readonly RunRecord[]): string[] {
  const accompanied = runs.filter((run) => companionsOf(run, runs).length > 0);
  if (accompanied.length === 0) return [];
  const most = Math.max(
    ...accompanied.map((run) => run.outsideCores + totalCpuSeconds(run.hosts) / run.wallSeconds),
  );
  return [
    `- ${accompanied.length} runs were made while others of the contest ran on hosts of their own (${accompanied.map((run) => `${run.leg} ${run.round}`).join(', ')}). What those used is no load from outside here; everything together took up to ${most.toFixed(2)} cores.`,
  ];
}

/** What the reader of the figures should know about the runs themselves. */
function distortions({ runs, machine, settings }: ContestResult): string[] {
  const { shape } = settings;
  const quota = shape.laptopCores + shape.boards * shape.boardCores;
  const yardstick = runs.map(({ calibration }) => calibrationMs(calibration));
  const [least, most] = [Math.min(...yardstick), Math.max(...yardstick)];
  const outside = runs.map((run) => foreignCores(run, runs));
  const loaded = runs.filter((_, index) => (outside[index] ?? 0) > NOTABLE_LOAD_CORES);
  const stolen = runs.filter(({ stealCores }) => stealCores > 0.05);
  const isCrowded = (run: RunRecord): boolean =>
    run.outsideCores + workingQuotaCores(run, settings) > machine.cores;
  const crowded = quota > machine.cores ? [] : runs.filter(isCrowded);
  return [
    ...(quota > machine.cores
      ? [
          `- **The quotas sum to ${quota.toFixed(2)} cores, and the machine has ${machine.cores}**: hosts waited for each other.`,
        ]
      : []),
    `- Load from outside the hosts, the kernel's network work included: median ${median(outside).toFixed(2)} core, at most ${Math.max(...outside).toFixed(2)}. ${loaded.length} of ${runs.length} runs had more than ${NOTABLE_LOAD_CORES}${loaded.length > 0 ? `: **other programs were running** (${loaded.map((run) => `${run.leg} ${run.round}`).join(', ')})` : ''}.`,
    `- The yardstick, one fixed compile, took ${least.toFixed(0)} to ${most.toFixed(0)} ms of CPU during the runs (standard: ${standardMs(runs).toFixed(0)} ms)${most / least > 1 + NOTABLE_SPREAD ? ', so a CPU second did not always buy the same work: read the corrected table, and take differences below that spread for nothing' : ''}.`,
    ...(crowded.length > 0
      ? [
          `- **In ${crowded.length} of ${runs.length} runs that load and the quotas together were more than the ${machine.cores} cores**: the hosts did not get all that their quotas allow, and wall times are too long. The correction does not undo that.`,
        ]
      : []),
    ...companyLines(runs),
    ...(stolen.length > 0
      ? [
          `- **The hypervisor took CPU away** in ${stolen.length} runs, up to ${Math.max(...runs.map((run) => run.stealCores)).toFixed(2)} core.`,
        ]
      : []),
    ...(runs.some(({ hosts }) => Object.values(hosts).some((host) => host.droppedPackets > 0))
      ? ['- Packets were dropped in some runs: see the result file.']
      : []),
  ];
}

/** What holds for every contest on one machine. */
const STANDING_CAVEATS = [
  '- Hosts are control groups with CPU quotas on one machine. They share its caches, memory, disk and page cache, which is warm; a real board has slower memory and a cold disk.',
  '- A quota lets a host run at full speed for a part of each 20 ms. A slow processor is slow all the time, so that latency-bound steps look better here than there.',
  '- CPU of a host is that of its control group: daemons and wrappers count. The work of the kernel for packets is charged to whoever happens to run, mostly the sender.',
  '- Tools that look at the load of their machine (icecream does) see that of all hosts together.',
  '- Bytes are counted at the switch, payload exactly; virtual links carry packets of up to 64 KiB, so that TCP/IP headers are counted too low.',
  '- "Floor" is a build whose compiler copies a ready object: what make, the shell and the build\'s own tools cost in any case.',
  '- Corrected figures are measured ones, divided by what the yardstick took during the run and multiplied by its standard: what it took before the runs of this contest (median), so that those of two contests do not compare. Bytes need no correction.',
];

function boundLine(result: ContestResult, legs: readonly LegSummary[]): string[] {
  const { shape } = result.settings;
  const local = result.runs.filter((run) => run.leg === 'local' && isGood(run));
  if (local.length === 0 || !legs.some(({ leg }) => leg === 'local')) return [];
  const cores = shape.laptopCores + shape.boards * shape.boardCores;
  const standard = standardMs(result.runs);
  const cpu = median(
    local.map((run) => (totalCpuSeconds(run.hosts) * standard) / calibrationMs(run.calibration)),
  );
  return [
    `Bound: a local build takes ${cpu.toFixed(0)} CPU s (corrected); the hosts together have ${cores.toFixed(2)} cores, so that a build that takes as much CPU as that cannot end before ${(cpu / cores).toFixed(0)} s.`,
  ];
}

/** What meshcc itself was in its runs; the other contestants' runs need only the benchmark. */
function versionsOf(runs: readonly RunRecord[]): string {
  const own = runs.filter(({ contestant }) => contestant === 'meshcc');
  const versions = own.map(({ meshcc }) => meshcc ?? 'of a commit that the runs did not record');
  return [...new Set(versions)].join(' and ') || 'was not run';
}

/** A pause that a reader should know of: the machine may have been another one after it. */
const NOTABLE_PAUSE_MINUTES = 60;

/** All runs in the order in which they began: it shows what followed what, and whether it was one go. */
function orderOf(runs: readonly RunRecord[]): string {
  const beganMs = ({ startedAt }: RunRecord): number => Date.parse(startedAt);
  const endMs = (run: RunRecord): number => beganMs(run) + run.wallSeconds * 1000;
  return runs
    .map((run, index) => {
      const before = runs.slice(0, index);
      const pauseMinutes = index === 0 ? 0 : (beganMs(run) - Math.max(...before.map(endMs))) / 60_000;
      const pause =
        pauseMinutes > NOTABLE_PAUSE_MINUTES ? `(**${(pauseMinutes / 60).toFixed(1)} hours later**) ` : '';
      const company = companionsOf(run, before).length > 0 ? '(meanwhile) ' : '';
      return `${pause}${company}${run.leg} ${run.round}`;
    })
    .join(', ');
}

const minuteOf = (run: RunRecord | undefined): string =>
  (run?.startedAt ?? '').slice(0, 16).replace('T', ' ');

function machineLines({ machine, settings, workload, runs }: ContestResult): string {
  const { shape } = settings;
  const link = `${shape.rate ?? 'no limit'}${shape.delayMs === undefined ? '' : `, ${shape.delayMs} ms on each link and direction`}`;
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `- workload: ${settings.workload}, ${workload.units} units, ${workload.objects} objects. ${workload.description}`,
    `- hosts: laptop ${shape.laptopCores} core, ${shape.boards} boards of ${shape.boardCores} core with ${settings.slotsPerBoard} slots; links: ${link}`,
    `- jobs: make -j${settings.boardJobs} for contestants that compile on the boards, -j${settings.laptopJobs} for those that compile on the laptop`,
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Linux ${machine.kernel}, ${machine.distribution}, Node ${machine.node}`,
    `- programs: ${Object.values(machine.programs).join('; ')}`,
    `- contestants: meshcc ${versionsOf(runs)}; ${packages.join(', ')}`,
    `- runs: ${runs.length}, from ${minuteOf(runs[0])} to ${minuteOf(runs.at(-1))} UTC: ${orderOf(runs)}`,
  ].join('\n');
}

/** The tables alone, for the documentation. */
export function formatTables(result: ContestResult, headingLevel = 3): string {
  const legs = summarize(result.runs, result.legs);
  const missing = result.unavailable.map(
    ({ contestant, reason }) => `- **${contestant} could not take part**: ${reason.split('\n')[0]}`,
  );
  const parts = [
    timeTables(legs),
    ...boundLine(result, legs),
    trafficTable(result, legs),
    [...missing, ...setupLines(result)].join('\n'),
  ];
  const text = parts.filter((part) => part !== '').join('\n\n');
  return text.replaceAll(/^#+ /gm, `${'#'.repeat(headingLevel)} `);
}

/** Machine and settings, for the documentation. */
export function formatMachine(result: ContestResult): string {
  return machineLines(result);
}

/** What distorted the figures of these runs, as a list. */
export function formatDistortions(result: ContestResult): string {
  return distortions(result).join('\n');
}

/** What could distort the figures, as a list. */
export function formatCaveats(result: ContestResult): string {
  return [...distortions(result), ...STANDING_CAVEATS].join('\n');
}

/** Everything. */
export function formatResult(result: ContestResult): string {
  const rounds = new Set(result.runs.map(({ round }) => round)).size;
  return [
    `## ${result.settings.workload}: median of up to ${rounds} runs (least–most)`,
    machineLines(result),
    formatTables(result),
    '### What could distort this',
    formatCaveats(result),
  ].join('\n\n');
}
