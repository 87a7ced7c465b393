/**
 * The yardstick: objects and depfiles of a plain local build in the same directory, kept aside with
 * their digests, and the comparison of a later build with them.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { BenchError } from '../bench-error.ts';
import { runCommand } from './command.ts';
import { logFile } from './source-tree.ts';
import type { Log, PreparedTree } from './workload.ts';

/** The outputs of a plain local build. */
export interface Reference {
  /** Copies of the outputs, under the same relative paths. */
  readonly directory: string;
  readonly digests: ReadonlyMap<string, Digest>;
  /** Wall time of the build in seconds; of an earlier run if the reference was kept. */
  readonly wallSeconds: number;
  /** False if it was kept from an earlier run. */
  readonly isFresh: boolean;
}

/** How a build's outputs relate to the reference. */
export interface Comparison {
  /** Number of files that are equal, byte for byte. */
  readonly identical: number;
  readonly different: readonly string[];
  readonly missing: readonly string[];
  /** Outputs that the reference does not have. */
  readonly unexpected: readonly string[];
}

/** How a reference is made. */
export interface ReferenceOptions {
  readonly cacheDirectory: string;
  readonly jobs: number;
  readonly log: Log;
  /** Keep one that the same compiler made of the same sources before. Default false. */
  readonly reuse?: boolean;
  /** Environment of the build. Default: the plain one. */
  readonly env?: NodeJS.ProcessEnv;
}

interface ReferenceFile {
  readonly key: string;
  readonly wallSeconds: number;
  readonly digests: Readonly<Record<string, Digest>>;
}

/** What a kept reference depends on; headers of the system are not in it, so a caller can ask for a fresh one. */
export async function referenceKey(tree: PreparedTree): Promise<string> {
  const ask = promisify(execFile);
  const answers = await Promise.allSettled(['gcc', 'g++'].map((driver) => ask(driver, ['--version'])));
  const versions = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.stdout : 'none'));
  return digestOf([tree.recipe, tree.directory, tree.build(1).join(' '), ...versions].join('\0'));
}

async function digestOutputs(tree: PreparedTree): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>();
  for (const path of await tree.objects()) {
    digests.set(path, digestOf(await readFile(join(tree.directory, path))));
  }
  return digests;
}

/**
 * Builds a tree locally from clean, saves its outputs aside, and cleans it again.
 * @throws BenchError if the build fails, or made no output (a comparison with nothing would always pass)
 */
export async function buildReference(tree: PreparedTree, options: ReferenceOptions): Promise<Reference> {
  const directory = join(options.cacheDirectory, 'references', tree.name);
  const record = join(directory, 'reference.json');
  const key = await referenceKey(tree);
  if (options.reuse && existsSync(record)) {
    const kept: ReferenceFile = JSON.parse(readFileSync(record, 'utf8'));
    if (kept.key === key) {
      await tree.clean();
      const digests = new Map(Object.entries(kept.digests));
      return { directory, digests, wallSeconds: kept.wallSeconds, isFresh: false };
    }
  }
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await tree.clean();
  options.log(`building ${tree.name} locally for reference: ${tree.build(options.jobs).join(' ')}`);
  const wallSeconds = await runCommand(tree.build(options.jobs), {
    cwd: tree.directory,
    logFile: logFile(options.cacheDirectory, tree.name),
    ...(options.env ? { env: options.env } : {}),
  });
  const digests = await digestOutputs(tree);
  if (digests.size === 0) {
    throw new BenchError(
      `the build of ${tree.name} ended with success but left no object in ${tree.directory}: see ${logFile(options.cacheDirectory, tree.name)}`,
    );
  }
  for (const path of digests.keys()) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    copyFileSync(join(tree.directory, path), join(directory, path));
  }
  const file: ReferenceFile = { key, wallSeconds, digests: Object.fromEntries(digests) };
  writeFileSync(`${record}.tmp`, JSON.stringify(file));
  renameSync(`${record}.tmp`, record);
  await tree.clean();
  return { directory, digests, wallSeconds, isFresh: true };
}

/** Compares what a tree holds now with the reference; leaves both as they are. */
export async function compareWithReference(tree: PreparedTree, reference: Reference): Promise<Comparison> {
  const built = await digestOutputs(tree);
  const different: string[] = [];
  const missing: string[] = [];
  for (const [path, digest] of reference.digests) {
    const now = built.get(path);
    if (now === undefined) missing.push(path);
    else if (now !== digest) different.push(path);
  }
  const unexpected = [...built.keys()].filter((path) => !reference.digests.has(path));
  const identical = reference.digests.size - different.length - missing.length;
  return { identical, different, missing, unexpected };
}
