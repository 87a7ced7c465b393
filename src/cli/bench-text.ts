/** A result of `meshcc bench` for people, and with what power and money buy. */
import { MeshError } from '../base/errors.ts';
import {
  type BenchResult,
  type CompileSpeed,
  type Measured,
  memoryLatencies,
  type NodeResult,
} from '../benchmark/index.ts';
import { table } from './table.ts';

/** Watts or dollars by name (or id) of a node. */
export type NodeCosts = ReadonlyMap<string, number>;

/** A node with what it draws and costs, as far as that was said. */
export interface PricedNode extends NodeResult {
  readonly watts?: number;
  readonly linesPerSecondAndWatt?: number;
  readonly price?: number;
  readonly linesPerSecondAndDollar?: number;
}

export interface PricedResult extends BenchResult {
  readonly nodes: readonly PricedNode[];
}

/** What a node can be called by. */
export type NamedNode = Pick<NodeResult, 'name' | 'nodeId'>;

/** @throws MeshError MESHCC_BAD_CONFIG if a cost is that of a node which is not among these */
export function checkCosts(nodes: readonly NamedNode[], watts: NodeCosts, price: NodeCosts): void {
  for (const wanted of [...watts.keys(), ...price.keys()]) {
    if (nodes.some(({ name, nodeId }) => name === wanted || nodeId === wanted)) continue;
    const names = nodes.map(({ name }) => name).join(', ');
    throw new MeshError('MESHCC_BAD_CONFIG', `a cost was given for ${wanted}, and the nodes are ${names}`);
  }
}

/** What nodes that were not measured cost is left out. */
export function withCosts(result: BenchResult, watts: NodeCosts, price: NodeCosts): PricedResult {
  const nodes = result.nodes.map((node): PricedNode => {
    const cost = (costs: NodeCosts): number | undefined => costs.get(node.name) ?? costs.get(node.nodeId);
    const lines = 'value' in node.allSlots ? node.allSlots.value.linesPerSecond.median : undefined;
    const [nodeWatts, nodePrice] = [cost(watts), cost(price)];
    return {
      ...node,
      ...(nodeWatts === undefined ? {} : { watts: nodeWatts }),
      ...(nodeWatts === undefined || lines === undefined ? {} : { linesPerSecondAndWatt: lines / nodeWatts }),
      ...(nodePrice === undefined ? {} : { price: nodePrice }),
      ...(nodePrice === undefined || lines === undefined
        ? {}
        : { linesPerSecondAndDollar: lines / nodePrice }),
    };
  });
  return { ...result, nodes };
}

const NOT_KNOWN = '?';

/** What stands in a cell: whole lines per second; marked if runs did not agree. */
function speedText(speed: Measured<CompileSpeed>): string {
  if ('notMeasured' in speed) return NOT_KNOWN;
  const { median, agrees } = speed.value.linesPerSecond;
  return `${Math.round(median)}${agrees ? '' : '!'}`;
}

function number(value: number | undefined, digits: number): string {
  return value === undefined ? NOT_KNOWN : value.toFixed(digits);
}

function speedTable(nodes: readonly PricedNode[]): string {
  const hasWatts = nodes.some(({ watts }) => watts !== undefined);
  const hasPrice = nodes.some(({ price }) => price !== undefined);
  const optional = <Item>(wanted: boolean, item: Item): Item[] => (wanted ? [item] : []);
  return table(
    [
      'NODE',
      'SLOTS#',
      'ONE CORE#',
      'ALL SLOTS#',
      ...optional(hasWatts, 'PER WATT#'),
      ...optional(hasPrice, 'PER DOLLAR#'),
    ],
    nodes.map((node) => [
      `${node.name}${node.isHere ? ' (here)' : ''}`,
      node.slots,
      speedText(node.oneCore),
      speedText(node.allSlots),
      ...optional(hasWatts, number(node.linesPerSecondAndWatt, 1)),
      ...optional(hasPrice, number(node.linesPerSecondAndDollar, 1)),
    ]),
  );
}

function machineTable(nodes: readonly PricedNode[]): string {
  const rows = nodes.map(({ name, machine, allSlots }) => {
    const figures = 'value' in machine ? machine.value : undefined;
    const state = 'value' in allSlots ? allSlots.value.state : undefined;
    const { l1Ns, l2Ns, l3Ns, dramNs } = figures === undefined ? {} : memoryLatencies(figures);
    const throttled = state?.throttled === undefined ? NOT_KNOWN : state.throttled ? 'YES' : 'no';
    return [
      name,
      number(l1Ns, 1),
      number(l2Ns, 1),
      number(l3Ns, 1),
      number(dramNs, 0),
      number(figures?.clockMhz, 0),
      number(figures?.busyClockMhz, 0),
      number(state?.clockMhz, 0),
      state?.governor ?? NOT_KNOWN,
      number(state?.hottestCelsius, 0),
      throttled,
    ];
  });
  const head = [
    'L1 ns#',
    'L2 ns#',
    'L3 ns#',
    'DRAM ns#',
    'MHz#',
    'ALL BUSY#',
    'COMPILING#',
    'GOVERNOR',
    'C#',
  ];
  return table(['NODE', ...head, 'THROTTLED'], rows);
}

/** What must be said beside the tables. */
function remarks({ nodes, isWhole }: PricedResult): string[] {
  const lines: string[] = [];
  for (const { name, machine, oneCore, allSlots } of nodes) {
    const missing = [oneCore, allSlots].flatMap((speed) => ('notMeasured' in speed ? speed.notMeasured : []));
    for (const why of new Set(missing)) lines.push(`${name}: compiling not measured: ${why}`);
    if ('notMeasured' in machine) lines.push(`${name}: machine not measured: ${machine.notMeasured}`);
    for (const speed of [oneCore, allSlots]) {
      if ('notMeasured' in speed || speed.value.linesPerSecond.agrees) continue;
      const { spread, values } = speed.value.linesPerSecond;
      lines.push(
        `${name}: ! ${values.length} runs with ${speed.value.atOnce} at once do not agree: the last ones differ by ${(100 * spread).toFixed(0)} %. Is something else running there?`,
      );
    }
  }
  if (!isWhole)
    lines.push(
      'This was a short run: its figures compare with no others, and the scheduler does not use them.',
    );
  return lines;
}

/** Everything for a terminal. */
export function benchText(result: PricedResult): string {
  const { corpus, compiler, nodes, measuredAt } = result;
  const tables = [speedTable(nodes), machineTable(nodes)];
  const hasUnknown = tables.some((text) => / \?(?: |$)/m.test(text));
  return [
    `Preprocessed lines per second of corpus ${corpus}, compiled by ${compiler.name} ${compiler.version} for ${compiler.targetTriple}; ${measuredAt}`,
    tables[0],
    'The machines: time of a load by level, clock of one core alone and while all are busy, and what the kernel said while all slots compiled',
    tables[1],
    ...(hasUnknown ? ['?: not known here, because the machine does not tell or was not measured.'] : []),
    ...remarks(result),
    '',
  ].join('\n');
}
