/** Reads the corpora of real and hostile command lines beside this file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import type { CompilerCall } from '../../src/compiler/index.ts';
import { isCompilerName } from '../../src/compiler/index.ts';
import { splitResponseFile } from '../../src/compiler/response-file.ts';

/** A line of a corpus: the words before the compiler's name, and the call. */
export interface CorpusLine {
  readonly text: string;
  readonly labels: readonly string[];
  readonly call: CompilerCall;
}

function parseLine(text: string, labelCount: number): CorpusLine {
  const words = splitResponseFile(text);
  if (words === undefined) throw new Error(`corpus line with unclear quoting: ${text}`);
  const compilerName = (words[labelCount] ?? '').replace(/^.*\//, '');
  const dialect = isCompilerName(compilerName)?.dialect;
  if (dialect === undefined) throw new Error(`corpus line without a compiler: ${text}`);
  const args = words.slice(labelCount + 1);
  return { text, labels: words.slice(0, labelCount), call: { compilerName, dialect, args, environment: {} } };
}

/**
 * The lines of one corpus, without comments.
 * @param labelCount how many words stand before the compiler's name
 */
export function readCorpus(name: string, labelCount = 0): CorpusLine[] {
  const text = readFileSync(join(PACKAGE_ROOT, 'test/compiler/corpus', `${name}.txt`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => parseLine(line, labelCount));
}
