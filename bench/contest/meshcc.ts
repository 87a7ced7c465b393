/** meshcc: first with boards that have seen nothing, then the same tree again. */
import { join } from 'node:path';
import { unitsHere } from '../build-report.ts';
import { comparedUnits, formMesh, MeshNode, type RunSummary } from '../mesh-under-test.ts';
import type { BuildFacts, Contestant, ContestContext, Leg, Session } from './contestant.ts';

const COLD: Leg = { name: 'meshcc-cold', title: 'meshcc, boards empty' };
const WARM: Leg = { name: 'meshcc-warm', title: 'meshcc, warm' };

function makeNodes({ hosts }: ContestContext): MeshNode[] {
  return [hosts.laptop, ...hosts.boards].map(
    ({ name }) =>
      new MeshNode({
        name,
        home: join(hosts.directoryOf(name), 'meshcc'),
        launch: (argv, options) => hosts.run(name, argv, options),
      }),
  );
}

function factsOf(summary: RunSummary | undefined, nodes: readonly MeshNode[]): BuildFacts {
  const logs = nodes.map(({ agentLog }) => agentLog);
  if (!summary) return { logs };
  const reasons = summary.local.map(({ reason, jobs }) => [`local: ${reason}`, jobs] as const);
  // Comparisons are part of what a user gets, so they are on, and in the figures.
  const compared = comparedUnits(summary);
  const notes = compared === 0 ? reasons : [...reasons, ['compiled twice and compared', compared] as const];
  return { localUnits: unitsHere(summary), notes: Object.fromEntries(notes), logs };
}

async function openMeshcc(context: ContestContext): Promise<Session> {
  const nodes = makeNodes(context);
  const [laptop] = nodes as [MeshNode, ...MeshNode[]];
  // The same number of compiles at once as every other contestant has.
  const variablesOf = (node: MeshNode): NodeJS.ProcessEnv =>
    node === laptop ? { MESHCC_LOCAL_SLOTS: '2' } : { MESHCC_SLOTS: String(context.slotsPerBoard) };
  const setup = await context.measureSetup('agents with empty homes look at their compilers and pair', () =>
    formMesh(nodes, context.log, variablesOf),
  );
  return {
    ready: async () => ({
      env: laptop.environment(),
      wrap: (command) => laptop.buildCommand(command),
    }),
    facts: async (leg) => ({ ...factsOf(laptop.summary(), nodes), ...(leg === COLD ? { setup } : {}) }),
    close: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** This project. */
export const meshcc: Contestant = {
  name: 'meshcc',
  legs: [COLD, WARM],
  compilesOn: 'boards',
  packages: [],
  open: openMeshcc,
};
