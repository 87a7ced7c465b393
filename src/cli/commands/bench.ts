/** `meshcc bench`: how fast the nodes compile, and what they are, so that one can choose boards. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BenchQuestion, NodeView, StatusView } from '../../agent/index.ts';
import { MeshError } from '../../base/errors.ts';
import { agentPaths } from '../../base/paths.ts';
import { type BenchResult, lastResult } from '../../benchmark/index.ts';
import { benchText, checkCosts, type NamedNode, type NodeCosts, withCosts } from '../bench-text.ts';
import { askAgent, followAgent } from '../control-client.ts';
import { EXIT_CODES } from '../exit-codes.ts';

interface BenchOptions {
  readonly watts?: NodeCosts;
  readonly price?: NodeCosts;
  readonly short?: boolean;
  readonly last?: boolean;
  readonly json?: boolean;
}

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('measure how fast the connected nodes compile, and their memory and clock')
    .argument('[nodes...]', 'only these nodes, by name or id')
    .addOption(
      new Option('--watts <node=watts>', 'what a node draws; several: again, or with commas').argParser(
        costs,
      ),
    )
    .addOption(
      new Option('--price <node=dollars>', 'what a node costs; several: again, or with commas').argParser(
        costs,
      ),
    )
    .option('--short', 'two sources, once: shows that it works; the figures mean little')
    .option('--last', 'show the last result instead of measuring')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  meshcc bench\n  meshcc bench board1 board2 --watts board1=5,board2=12 --price board1=40,board2=120\n  meshcc bench --last --json',
    )
    .action(async (nodes: string[], options: BenchOptions) => {
      const { stateDirectory, controlSocket } = agentPaths();
      const { watts = new Map(), price = new Map() } = options;
      if (options.last && nodes.length > 0)
        throw new MeshError(
          'MESHCC_BAD_CONFIG',
          `meshcc bench --last shows the whole last result, so that ${nodes.join(' ')} cannot be chosen. Leave the names or --last away.`,
        );
      const kept = options.last ? keptResult(stateDirectory) : undefined;
      // Before minutes of measuring: nobody should learn of a slip after them.
      checkCosts(kept?.nodes ?? (await nodesInSight(controlSocket)), watts, price);
      const result = kept ?? (await measure(controlSocket, nodes, options));
      const priced = withCosts(result, watts, price);
      process.stdout.write(options.json ? `${JSON.stringify(priced, null, 2)}\n` : benchText(priced));
      if (result.nodes.every(({ isHere, allSlots }) => isHere || 'notMeasured' in allSlots)) {
        process.stderr.write('meshcc: no node could be measured\n');
        process.exitCode = EXIT_CODES.notSo.status;
      }
    });
}

/** This machine and all nodes that its agent knows. */
async function nodesInSight(controlSocket: string): Promise<NamedNode[]> {
  const [status, { nodes }] = await Promise.all([
    askAgent<StatusView>(controlSocket, 'GET', '/v1/status'),
    askAgent<{ nodes: NodeView[] }>(controlSocket, 'GET', '/v1/nodes'),
  ]);
  return [status, ...nodes];
}

function measure(
  controlSocket: string,
  nodes: readonly string[],
  { short: isShort = false }: BenchOptions,
): Promise<BenchResult> {
  const question: BenchQuestion = { nodes, isShort };
  return followAgent<BenchResult>(controlSocket, '/v1/bench', question, (sentence) => {
    process.stderr.write(`${sentence}\n`);
  });
}

/** @throws MeshError if nothing was measured yet */
function keptResult(stateDirectory: string): BenchResult {
  const result = lastResult(stateDirectory);
  if (result !== undefined) return result;
  throw new MeshError(
    'MESHCC_BAD_CONFIG',
    `nothing has been measured yet: there is no result in ${stateDirectory}. Measure: meshcc bench`,
  );
}

/** @throws InvalidArgumentError, which becomes an error of the command line */
function costs(text: string, before: NodeCosts = new Map()): NodeCosts {
  const all = new Map(before);
  for (const part of text.split(',')) {
    const [, node, number] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (node === undefined || !(Number(number) > 0))
      throw new InvalidArgumentError(`Expected NODE=NUMBER, such as board1=5, and got "${part}".`);
    if (all.has(node)) throw new InvalidArgumentError(`"${node}" has two values.`);
    all.set(node, Number(number));
  }
  return all;
}
