/** Finds everything that a compile may read, and what those files are. */
export type { ClosureFinder, ClosureOutcome, ClosureRequest, InputClosure } from './closure.ts';
export { CompilerClosureFinder, type RunCommand } from './compiler-closure-finder.ts';
export { type ContentTraits, contentTraitsOf, type ExistenceTest } from './content-traits.ts';
export { existenceCandidates } from './existence-tests.ts';
export { FileTable, type InputFile } from './file-table.ts';
