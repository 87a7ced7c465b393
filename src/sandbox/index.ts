/** The sandbox room: commands run by a native job runner, confined to a tree or plainly. */
export { type Cell, type CellOptions, openCell, openPlainRunner } from './cell.ts';
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
export { type Confinement, probeConfinement } from './probe.ts';
export { buildRunner } from './runner-program.ts';
