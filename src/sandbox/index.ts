/** The sandbox room: commands run by a native job runner, confined to a tree or plainly. */
export type { Cell } from './cell.ts';
export {
  CELL_TEMPORARY_DIRECTORY,
  type CellExit,
  type CellFault,
  type CellJob,
  type CellOutput,
  type CellResult,
  FAULT_CAUSES,
  type FaultCause,
  IRREGULAR_TYPES,
  type IrregularOutput,
  type IrregularType,
} from './cell-job.ts';
export { CONFINEMENT_OBSTACLES, type ConfinementObstacle } from './confinement-obstacles.ts';
export {
  type ControlGroup,
  type ControlGroups,
  findControlGroups,
  type GroupLimits,
} from './control-groups.ts';
export { renderLadder } from './ladder-table.ts';
export { type CellOptions, openCell, openPlainRunner, removeTree } from './open-cell.ts';
export { type Confinement, type MissedRung, probeConfinement } from './probe.ts';
export { RUNG_NAMES, RUNGS, type Rung, type Sandbox, WALLS, type Wall } from './rungs.ts';
export { buildRunner } from './runner-program.ts';
