/** A submitter that says on the wire what a test wants, true or not, and notes what it hears. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { encodeAscending } from '../../src/base/varint.ts';
import type {
  FromSubmitter,
  FromWorker,
  WireEntry,
  WireJob,
  WireResult,
  WorkerLink,
} from '../../src/mesh/index.ts';
import { dial, until } from '../mesh/transport-peers.ts';
import { GCC, toolchainOf, useOf } from './real-toolchains.ts';

export class RawSubmitter {
  readonly link: WorkerLink;
  readonly heard: FromWorker[] = [];

  constructor(link: WorkerLink) {
    this.link = link;
    link.receive((message) => {
      this.heard.push(message);
      this.hear(message);
    });
  }

  /** Called for each message, after it was noted. */
  protected hear(_message: FromWorker): void {}

  send(...messages: FromSubmitter[]): void {
    for (const message of messages) this.link.work.send(message);
  }

  get results(): WireResult[] {
    return this.heard.flatMap(({ result }) => result ?? []);
  }

  /** Digests of contents that the worker has asked for, in order. */
  get asked(): string[] {
    return this.heard.flatMap(({ needBlobs }) =>
      (needBlobs?.sha256 ?? []).map((bytes) => Buffer.from(bytes).toString('hex')),
    );
  }

  get granted(): number {
    return this.heard.flatMap(({ credits }) => credits?.grantedTotal ?? []).at(-1) ?? 0;
  }

  async result(jobId: number): Promise<WireResult> {
    const find = (): WireResult | undefined => this.results.find((result) => result.jobId === jobId);
    await until(() => find() !== undefined, `the result of job ${jobId}`);
    return find()!;
  }
}

/** One that has announced gcc as toolchain 1. */
export async function rawSubmitter(t: TestContext, { address }: { address: string }): Promise<RawSubmitter> {
  const submitter = new RawSubmitter(await dial(t, address));
  submitter.send({ toolchainUse: useOf(await toolchainOf(GCC)) });
  await until(() => submitter.granted > 0, 'the first credits');
  return submitter;
}

/** The node of an entry for a file. */
export const file = (content: Buffer | string): NonNullable<WireEntry['file']> => ({
  sha256: digestToBytes(digestOf(content)),
  sizeBytes: Buffer.byteLength(content),
  mtimeSeconds: 1,
});

/** Compiles /w/x.c (entry 2 in directory 1). */
export function job(jobId: number, change: Partial<WireJob> = {}): WireJob {
  const plain = { value: '', list: [] };
  return {
    jobId,
    toolchainRef: 1,
    workingDirectory: '/w',
    arguments: [
      { ...plain, name: '-c', form: 'flag' },
      { ...plain, name: '', form: 'source', value: 'x.c' },
    ],
    inputs: encodeAscending([1, 2]),
    environment: [],
    umask: 0o022,
    outputs: [{ kind: 'object', path: 'x.o', required: true }],
    processor: [],
    ...change,
  };
}

export const SOURCE = 'int x;\n';

export function assertCompiled(result: WireResult): void {
  assert.ok(result.compiled?.exitStatus === 0, JSON.stringify(result));
}

/** Tells of the directory and the source of {@link job}. */
export function announce(submitter: RawSubmitter, content: Buffer | string = SOURCE): void {
  submitter.send({
    entries: {
      entries: [
        { id: 1, path: '/w', directory: {} },
        { id: 2, path: '/w/x.c', file: file(content) },
      ],
    },
  });
}

/** Sends a content whole. */
export function deliver(submitter: RawSubmitter, content: Buffer | string): void {
  const { sha256, sizeBytes } = file(content);
  submitter.link.blobs.send({ sha256, sizeBytes, data: Buffer.from(content), last: true });
}
