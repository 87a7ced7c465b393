/** Writes the generated files of this room: `node dist/src/compiler/write-docs.js` after a change of a table. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { GENERATED_FILES } from './generated-files.ts';

for (const [path, render] of Object.entries(GENERATED_FILES)) {
  writeFileSync(join(PACKAGE_ROOT, path), render());
}
