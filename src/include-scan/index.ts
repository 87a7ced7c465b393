/** Finds everything that a compile may read, and what those files are. */
export { asksBeyondIncludes } from './beyond-includes.ts';
export type { ClosureFinder, ClosureOutcome, ClosureRequest, FileNumbers, InputClosure } from './closure.ts';
export { CompilerClosureFinder, type RunCommand } from './compiler-closure-finder.ts';
export { ScanningClosureFinder } from './scanning-closure-finder.ts';
export { type SourceViewOptions, type SourceViewStats, WatchedSourceView } from './source-view.ts';
export { type SourceFile, type SourceView, StillReading } from './source-view-port.ts';
