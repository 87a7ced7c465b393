/** A member of the mesh that lies: it speaks the protocol, and says whatever a case wants it to. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { encodeAscending } from '../../src/base/varint.ts';
import type {
  FromWorker,
  WireArgument,
  WireEntry,
  WireJob,
  WireResult,
  WorkerLink,
} from '../../src/mesh/index.ts';
import { until } from '../mesh/transport-peers.ts';
import { file, RawSubmitter } from '../worker/raw-submitter.ts';

const PIECE_BYTES = 128 * 1024;

export class Liar extends RawSubmitter {
  /** Its directory in its own view; no other liar has the same. */
  readonly home: string;
  /** Name of its source, which is in the command lines of its processes. */
  readonly sourceName: string;
  /** Contents that it delivers when it is asked for them, by hexadecimal digest. */
  readonly #contents = new Map<string, Buffer>();
  readonly #entryIds = new Map<string, number>();
  #nextId = 1;
  #nextJob = 1;
  /** How the connection ended, once it has. */
  hungUp: string | undefined;

  constructor(link: WorkerLink, name: string) {
    super(link);
    this.home = `/${name}`;
    this.sourceName = `${name}.c`;
    void link.closed.then((why) => {
      this.hungUp = why;
    });
  }

  protected override hear(message: FromWorker): void {
    for (const bytes of message.needBlobs?.sha256 ?? []) this.deliver(Buffer.from(bytes).toString('hex'));
  }

  /** Sends a content that it has; nothing if it has not. */
  deliver(digest: string): void {
    const content = this.#contents.get(digest);
    if (content === undefined) return;
    const sha256 = Buffer.from(digest, 'hex');
    let offset = 0;
    do {
      const data = content.subarray(offset, offset + PIECE_BYTES);
      offset += PIECE_BYTES;
      this.link.blobs.send({ sha256, sizeBytes: content.length, data, last: offset >= content.length });
    } while (offset < content.length);
  }

  /** Begins its dictionary anew: what it announces from here on is announced again. */
  forget(): void {
    this.#entryIds.clear();
  }

  /** An id for a new entry. */
  freshId(): number {
    return this.#nextId++;
  }

  freshJob(): number {
    return this.#nextJob++;
  }

  /** Announces one entry. @returns its id */
  entry(path: string, node: Omit<WireEntry, 'id' | 'path'>): number {
    const id = this.freshId();
    this.#entryIds.set(path, id);
    this.send({ entries: { entries: [{ id, path, ...node }] } });
    return id;
  }

  /** Announces directories with those above them. @returns the ids of all */
  directory(path: string): number[] {
    if (path === '/') return [];
    const above = this.directory(dirname(path));
    return [...above, this.#entryIds.get(path) ?? this.entry(path, { directory: {} })];
  }

  symlink(path: string, target: string): number {
    return this.entry(path, { symlink: { target } });
  }

  /** Announces a file without anything above it, and keeps its content for delivery. @returns its id */
  bareFile(path: string, content: string | Buffer): number {
    this.#contents.set(digestOf(content), Buffer.from(content));
    return this.entry(path, { file: file(content) });
  }

  /** Announces a file, with the directories above, and keeps its content for delivery. @returns all ids */
  file(path: string, content: string | Buffer): number[] {
    return [...this.directory(dirname(path)), this.bareFile(path, content)];
  }

  /** Announces a file whose content it will not deliver by itself. */
  withheld(path: string, content: string | Buffer): number[] {
    const above = this.directory(dirname(path));
    return [...above, this.entry(path, { file: file(content) })];
  }

  /** A job for a source of its own in its home. */
  jobFor(ids: readonly number[], change: Partial<WireJob> = {}): WireJob {
    return {
      jobId: this.freshJob(),
      toolchainRef: 1,
      workingDirectory: this.home,
      arguments: [flag('-c'), source(this.sourceName)],
      inputs: encodeAscending([...new Set(ids)].sort((a, b) => a - b)),
      environment: [],
      umask: 0o022,
      outputs: [{ kind: 'object', path: this.sourceName.replace(/\.c$/, '.o'), required: true }],
      processor: [],
      ...change,
    };
  }

  /** Sends a job and waits for what becomes of it. */
  async run(job: WireJob): Promise<WireResult> {
    this.send({ job });
    await until(
      () => this.resultOf(job.jobId) !== undefined || this.hungUp !== undefined,
      'the end of a job',
    );
    const result = this.resultOf(job.jobId);
    assert.ok(result !== undefined, `the worker hung up instead: ${this.hungUp}`);
    return result;
  }

  /** Compiles a text. @param ids further entries that the job lists */
  compile(
    text: string | Buffer,
    change: Partial<WireJob> = {},
    ids: readonly number[] = [],
  ): Promise<WireResult> {
    return this.run(this.jobFor([...this.file(`${this.home}/${this.sourceName}`, text), ...ids], change));
  }

  /** Waits longer than {@link run} does. */
  async resultWithin(jobId: number, limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while (this.resultOf(jobId) === undefined && performance.now() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 100));
  }

  resultOf(jobId: number): WireResult | undefined {
    return this.results.find((result) => result.jobId === jobId);
  }

  /** Waits until the worker has ended the connection. @returns its reason */
  async endOfConnection(): Promise<string> {
    await until(() => this.hungUp !== undefined, 'the worker hangs up');
    return this.hungUp ?? '';
  }

  /** Everything that the worker has ever said to it, as bytes. */
  get everything(): Buffer {
    const pieces: Uint8Array[] = [];
    for (const { result, outputChunk } of this.heard) {
      if (outputChunk) pieces.push(outputChunk.data);
      if (result?.compiled) {
        pieces.push(result.compiled.stdout, result.compiled.stderr);
        for (const { data } of result.compiled.outputs) if (data) pieces.push(data);
      }
      if (result) pieces.push(Buffer.from(JSON.stringify({ ...result, compiled: undefined })));
    }
    return Buffer.concat(pieces);
  }
}

export const flag = (name: string): WireArgument => ({ name, form: 'flag', value: '', list: [] });
export const source = (value: string): WireArgument => ({ name: '', form: 'source', value, list: [] });
export const joined = (name: string, value: string): WireArgument => ({
  name,
  form: 'joined',
  value,
  list: [],
});
export const separate = (name: string, value: string): WireArgument => ({
  name,
  form: 'separate',
  value,
  list: [],
});
export const list = (name: string, ...pieces: WireArgument[]): WireArgument => ({
  name,
  form: 'list',
  value: '',
  list: pieces,
});

export { digestToBytes };

/** What may become of a job. */
export const outcome = {
  refused(result: WireResult, reason: RegExp): void {
    assert.match(result.refused?.reason ?? JSON.stringify(result), reason);
    assert.ok(result.refused, JSON.stringify(result));
  },
  fault(result: WireResult, cause: RegExp): void {
    assert.ok(result.nodeFault, JSON.stringify(result));
    assert.match(`${result.nodeFault.cause}: ${result.nodeFault.detail}`, cause);
  },
  incomplete(result: WireResult, paths: RegExp): void {
    assert.ok(result.inputIncomplete, JSON.stringify(result));
    assert.match(result.inputIncomplete.paths.join(' '), paths);
  },
  /** The compiler ran, said no, and left nothing. */
  failed(result: WireResult, stderr: RegExp): void {
    assert.ok(result.compiled, JSON.stringify(result));
    assert.ok(result.compiled.exitStatus !== 0 || result.compiled.signal !== 0);
    assert.deepEqual(result.compiled.outputs, []);
    assert.match(Buffer.from(result.compiled.stderr).toString('latin1'), stderr);
  },
  compiled(result: WireResult): void {
    assert.ok(result.compiled, JSON.stringify(result));
    assert.equal(result.compiled.exitStatus, 0, Buffer.from(result.compiled.stderr).toString());
  },
};
