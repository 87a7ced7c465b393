/** What makes a contest a failure. */
import type { ContestResult } from './result.ts';
import { isGood, isIdentical } from './summary.ts';

/**
 * Somebody is missing, compiled nothing on the boards, or did not build the tree. That a peer's objects differ from
 * local ones is a result; ours must not.
 * @returns one phrase for each
 */
export function shortcomings({ runs, unavailable, legs }: ContestResult): string[] {
  const missing = legs.filter(({ name }) => !runs.some(({ leg }) => leg === name));
  const idle = runs.filter(({ localUnits, units }) => localUnits === units);
  // An agent that dies leaves a build that is right, and done by the laptop.
  const untold = runs.filter(({ contestant, localUnits }) => contestant === 'meshcc' && localUnits === null);
  return [
    ...unavailable.map(({ contestant, reason }) => `${contestant}: ${reason}`),
    ...missing.map(({ name }) => `${name} was not run`),
    ...idle.map(({ leg }) => `${leg} compiled nothing on the boards`),
    ...untold.map(({ leg, round }) => `${leg} ${round} does not tell where its units were compiled`),
    ...runs
      .filter((run) => !isGood(run))
      .map(({ leg, exitStatus, objects }) =>
        exitStatus === 0 ? `${leg}: ${objects.missing} objects were not made` : `${leg}: exit ${exitStatus}`,
      ),
    ...runs
      .filter((run) => run.contestant === 'meshcc' && !isIdentical(run))
      .map(({ leg, objects }) => `${leg}: objects not as built locally: ${objects.faults.join(' ')}`),
  ];
}
