/** Writes every file that is made from tables: `npm run docs` after a change of one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { GENERATED_DOCS } from './generated-docs.ts';

function presentText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

for (const [file, render] of Object.entries(GENERATED_DOCS)) {
  const path = join(PACKAGE_ROOT, file);
  const present = presentText(path);
  const text = render(present);
  if (text === present) continue;
  writeFileSync(path, text);
  process.stdout.write(`${file}\n`);
}
