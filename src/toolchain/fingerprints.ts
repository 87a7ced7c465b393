/** The fingerprints of this machine's compilers: taken when somebody asks, one at a time, and kept on disk. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { digestOf, isDigest } from '../base/digest.ts';
import { askingEnvironment } from './ask-program.ts';
import { corpusFor, optionSetsFor } from './behaviour-corpus.ts';
import type { Fingerprint } from './behaviour-fingerprint.ts';
import type { OwnToolchain } from './match-toolchain.ts';

/** What the process that takes one says. */
export type FingerprintAnswer =
  | { readonly toolchainId: string; readonly fingerprint: Fingerprint }
  | { readonly trouble: string };

/** Changes whenever the same corpus and options shall give other parts. */
const FORMAT = 1;

const PROCESS = fileURLToPath(new URL('./fingerprint-process.js', import.meta.url));

/** A slow board with a slow disk, while it compiles for others. */
const TIMEOUT_MS = 1_800_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** How often a machine that has work is asked whether it has none any more. */
const BUSY_PAUSE_MS = 1_000;

export class Fingerprints {
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #isBusy: () => boolean;
  readonly #running = new Map<string, Promise<Fingerprint>>();
  readonly #stopped = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param cacheDirectory fingerprints are kept below it, by the content of the compiler and of the corpus
   * @param isBusy while this machine compiles, no fingerprint is begun
   */
  constructor(cacheDirectory: string, env: NodeJS.ProcessEnv, isBusy: () => boolean = () => false) {
    this.#directory = join(cacheDirectory, 'fingerprints');
    this.#env = env;
    this.#isBusy = isBusy;
  }

  /**
   * The fingerprint of a compiler of this machine, from disk if it was taken before.
   * @throws Error that says why there is none
   */
  of(toolchain: OwnToolchain): Promise<Fingerprint> {
    const running = this.#running.get(toolchain.id);
    if (running !== undefined) return running;
    const started = this.#find(toolchain).finally(() => this.#running.delete(toolchain.id));
    this.#running.set(toolchain.id, started);
    return started;
  }

  /** Ends what is under way. */
  stop(): void {
    this.#stopped.abort();
  }

  async #find(toolchain: OwnToolchain): Promise<Fingerprint> {
    const path = join(this.#directory, `${await keyOf(toolchain)}.json`);
    const kept = parseFingerprint(await readFile(path, 'utf8').catch(() => ''));
    if (kept !== undefined) return kept;
    const taken = this.#last.then(() => this.#take(toolchain));
    this.#last = taken.catch(() => {});
    const fingerprint = await taken;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify(fingerprint), { mode: 0o600 });
    await rename(temporary, path);
    return fingerprint;
  }

  async #take({ id, compilerPath, scope }: OwnToolchain): Promise<Fingerprint> {
    while (this.#isBusy()) await pause(BUSY_PAUSE_MS, undefined, { signal: this.#stopped.signal });
    // Of this process and its compilers, however they end.
    const temporary = await mkdtemp(join(tmpdir(), 'meshcc-fingerprint-'));
    const answer = await this.#run([PROCESS, compilerPath, scope], temporary).finally(() =>
      rm(temporary, { recursive: true, force: true, maxRetries: 5 }),
    );
    if ('trouble' in answer) throw new Error(answer.trouble);
    if (answer.toolchainId !== id)
      throw new Error(`${compilerPath} was replaced since this agent looked at it: restart the agent`);
    return answer.fingerprint;
  }

  #run(args: readonly string[], temporaryDirectory: string): Promise<FingerprintAnswer> {
    const options = {
      env: { ...askingEnvironment(this.#env), TMPDIR: temporaryDirectory },
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_ANSWER_BYTES,
      signal: this.#stopped.signal,
      killSignal: 'SIGKILL' as const,
    };
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout) as FingerprintAnswer);
        else reject(new Error(`taking a fingerprint failed: ${stderr.trim().slice(-200) || error.message}`));
      });
    });
  }
}

/** By everything that goes into a fingerprint: the compiler's content, the corpus and the options. */
async function keyOf({ id, scope, dialect, targetTriple }: OwnToolchain): Promise<string> {
  const corpus = await corpusFor(scope);
  return digestOf(JSON.stringify([FORMAT, id, corpus, optionSetsFor(dialect, targetTriple)])).slice(0, 32);
}

function parseFingerprint(text: string): Fingerprint | undefined {
  try {
    const value = JSON.parse(text) as Partial<Fingerprint>;
    const isWhole = value.parts?.every(({ name, digest }) => typeof name === 'string' && isDigest(digest));
    return isWhole === true && value.parts !== undefined ? { parts: value.parts } : undefined;
  } catch {
    return undefined;
  }
}
