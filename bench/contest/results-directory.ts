/** Where a contest writes its runs as they end, so that an interrupted one can be resumed. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import type { ContestResult, ContestSettings, RunRecord } from './result.ts';

/** `runs/LEG-ROUND.json`, `logs/`, and `settings.json`, which runs of one contest share. */
export class ResultsDirectory {
  readonly directory: string;

  /**
   * Opens a directory, made if it is missing.
   * @param isResumed runs that are there already count
   * @throws BenchError if it holds runs, and they do not count or are those of a contest with other settings
   */
  constructor(directory: string, settings: ContestSettings, isResumed: boolean) {
    this.directory = directory;
    for (const folder of ['runs', 'logs']) mkdirSync(join(directory, folder), { recursive: true });
    if (!isResumed && this.runs().length > 0) {
      throw new BenchError(
        `${directory} holds runs already: name another directory, or go on there with --resume`,
      );
    }
    const file = join(directory, 'settings.json');
    const text = `${JSON.stringify(settings, null, 2)}\n`;
    if (existsSync(file) && readFileSync(file, 'utf8') !== text) {
      throw new BenchError(
        `${directory} belongs to a contest with other settings (${file}): name another directory, or call with the same options`,
      );
    }
    writeFileSync(file, text);
  }

  /** Log of a build, or of a step. */
  logFile(name: string): string {
    return join(this.directory, 'logs', `${name}.log`);
  }

  hasRun(leg: string, round: number): boolean {
    return existsSync(this.#runFile(leg, round));
  }

  /** @param logs files of the contestant's daemons, kept beside the record */
  writeRun(run: RunRecord, logs: readonly string[]): void {
    for (const log of logs.filter((path) => existsSync(path))) {
      const host = basename(dirname(log));
      copyFileSync(log, this.logFile(`${run.leg}-${run.round}.${host}.${basename(log, '.log')}`));
    }
    writeWhole(this.#runFile(run.leg, run.round), run);
  }

  /** Every run so far, in the order in which they began. */
  runs(): RunRecord[] {
    const folder = join(this.directory, 'runs');
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => readRun(join(folder, name)))
      .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  }

  /** Returns the path of the file. */
  writeResult(result: ContestResult): string {
    const file = join(this.directory, 'result.json');
    writeWhole(file, result);
    return file;
  }

  #runFile(leg: string, round: number): string {
    return join(this.directory, 'runs', `${leg}-${round}.json`);
  }
}

/** @throws BenchError if somebody has damaged it */
function readRun(file: string): RunRecord {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new BenchError(
      `${file} is no record of a run (${error instanceof Error ? error.message : error}): remove it, and --resume makes that run anew`,
    );
  }
}

function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.tmp`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
}
