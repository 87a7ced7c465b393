/** The source files of the package and what each of them imports, read as text: what is written, not what is loaded. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

/** An import, export-from or `import()` of one file. */
export interface Import {
  /** The importing file, relative to the package. */
  readonly from: string;
  /** The imported file relative to the package, or the specifier of what is not in it (`node:fs`, `pino`). */
  readonly to: string;
  readonly isRelative: boolean;
  /** True if nothing of it is left when the program runs. */
  readonly isTypeOnly: boolean;
}

/** Files with one of these endings below a folder of the package, relative to the package, sorted. */
export function filesIn(folder: string, ...endings: readonly string[]): string[] {
  return readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file))
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .sort();
}

/** Text of a file of the package. */
export function textOf(file: string): string {
  return readFileSync(join(PACKAGE_ROOT, file), 'utf8');
}

/** The room of a file below src/. */
export function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

/** A statement begins a line; between its keyword and its specifier there is no quote. */
const STATEMENT = /^(?:import|export)\s(type\s)?[^'"`;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'/gm;
const DYNAMIC = /\bimport\('([^']+)'\)/g;

/** Everything that a file imports. */
export function importsOf(file: string): Import[] {
  const text = textOf(file);
  const found = (specifier: string, isTypeOnly: boolean): Import => {
    const isRelative = specifier.startsWith('.');
    const to = isRelative ? posix.join(dirname(file), specifier) : specifier;
    return { from: file, to, isRelative, isTypeOnly };
  };
  return [
    ...[...text.matchAll(STATEMENT)].map(([, type, from, bare]) => found(from ?? bare ?? '', Boolean(type))),
    ...[...text.matchAll(DYNAMIC)].map(([, specifier]) => found(specifier ?? '', false)),
  ];
}

/** The rows of the first Markdown table below a heading, without its head; code marks are taken off. */
export function tableBelow(heading: string, markdown: string): string[][] {
  const lines = markdown.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`no heading ${heading}`);
  const first = lines.findIndex((line, index) => index > start && line.startsWith('|'));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

/** The names in a cell such as `base, compiler`; none for a dash. */
export function namesIn(cell: string | undefined): string[] {
  return (cell ?? '').split(/[,\s]+/).filter((name) => name !== '' && name !== '–');
}
