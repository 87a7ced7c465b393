/** Which committed files are made from the tables of this room, and by what. */
import { renderCompilerOptions, renderEnvironment, renderLocalReasons } from './docs.ts';
import { renderEnvironmentHeader } from './environment-table.ts';

/** Path relative to the package, and the function that makes its text. */
export const GENERATED_FILES: Readonly<Record<string, () => string>> = {
  'docs/local-reasons.md': renderLocalReasons,
  'docs/compiler-options.md': renderCompilerOptions,
  'docs/environment.md': renderEnvironment,
  'src/shim/environment-table.h': renderEnvironmentHeader,
};
