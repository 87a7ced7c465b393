/** Both ends of a real connection on 127.0.0.1, and identities of one mesh made the way a mesh makes them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type BlobChunk,
  type ConnectOptions,
  connectWorker,
  type FromSubmitter,
  type FromWorker,
  foundMesh,
  issueCertificate,
  type MeshServer,
  makeCertificateRequest,
  type NodeIdentity,
  type Outbound,
  openIdentity,
  type Security,
  type SessionHandler,
  type SubmitterPeer,
  serveMesh,
  type WireWelcome,
  type WorkerLink,
} from '../../src/mesh/index.ts';

export const INSECURE: Security = { kind: 'insecure' };

/** A node with everything that it needs to be a member of a mesh. */
export interface Member {
  readonly nodeId: string;
  readonly security: Security & { kind: 'mutual-tls' };
}

/** A directory that is gone after the test. */
export function scratchDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-peers-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A mesh of two: the founder, and a node that was admitted by it. */
export async function twoMembers(t: TestContext): Promise<[Member, Member]> {
  const directory = scratchDirectory(t);
  const members = await membersIn([join(directory, 'founder'), join(directory, 'other')]);
  return members as [Member, Member];
}

/** A mesh of nodes that have these state directories: the founder, and those that were admitted by it. */
export async function membersIn(stateDirectories: readonly string[]): Promise<Member[]> {
  const [first = '', ...others] = stateDirectories;
  const founder = await foundMesh(await openIdentity(first));
  const { caPem, caKeyPem = '', certificatePem } = founder.membership;
  const members = [member(founder, caPem, certificatePem)];
  for (const directory of others) {
    const identity = await openIdentity(directory);
    const request = await makeCertificateRequest(identity.keyPem, 'a name that does not count');
    const issued = await issueCertificate({ caPem, caKeyPem }, request);
    members.push(member(identity, caPem, issued.certificatePem));
  }
  return members;
}

function member({ nodeId, keyPem }: NodeIdentity, caPem: string, certificatePem: string): Member {
  return { nodeId, security: { kind: 'mutual-tls', caPem, certificatePem, keyPem } };
}

/** One submitter's stream as a listening test sees it. */
export interface ServedSession {
  readonly peer: SubmitterPeer;
  readonly out: Outbound<FromWorker>;
  readonly hangUp: (why: string) => void;
  readonly messages: FromSubmitter[];
  readonly chunks: BlobChunk[];
  /** Resolves with the reason when the stream is gone. */
  readonly closed: Promise<string>;
}

/** A listening node. */
export interface Listener {
  readonly server: MeshServer;
  readonly address: string;
  /** All streams so far. */
  readonly sessions: readonly ServedSession[];
  /** The next stream that is accepted, or the first one that no one has asked for yet. */
  session(): Promise<ServedSession>;
}

export interface ListenOptions {
  readonly nodeId?: string;
  readonly security?: Security;
  readonly welcome?: Partial<WireWelcome>;
  /** Called for each message, after it was noted. */
  readonly onMessage?: (message: FromSubmitter, session: ServedSession) => void;
  /** Holds the blob stream back until it resolves. */
  readonly onBlobChunk?: (chunk: BlobChunk, session: ServedSession) => Promise<void>;
}

/** Starts a real server whose sessions do what the test says. Stops after the test. */
export async function listen(t: TestContext, options: ListenOptions = {}): Promise<Listener> {
  const sessions: ServedSession[] = [];
  const waiting: ((session: ServedSession) => void)[] = [];
  let asked = 0;
  const server = await serveMesh({
    security: options.security ?? INSECURE,
    host: '127.0.0.1',
    port: 0,
    welcome: () => ({
      nodeId: options.nodeId ?? 'worker',
      nodeName: 'worker-name',
      agentVersion: '0',
      slots: 4,
      toolchains: [],
      ...options.welcome,
    }),
    accept: (peer, out, hangUp): SessionHandler => {
      let onClosed: (reason: string) => void = () => {};
      const closed = new Promise<string>((resolve) => {
        onClosed = resolve;
      });
      const session: ServedSession = { peer, out, hangUp, messages: [], chunks: [], closed };
      sessions.push(session);
      waiting.shift()?.(session);
      return {
        onMessage: (message) => {
          session.messages.push(message);
          options.onMessage?.(message, session);
        },
        onBlobChunk: async (chunk) => {
          session.chunks.push(chunk);
          await options.onBlobChunk?.(chunk, session);
        },
        onClosed,
      };
    },
    log: () => {},
  });
  t.after(() => server.stop());
  return {
    server,
    address: `127.0.0.1:${server.port}`,
    sessions,
    session: () => {
      const present = sessions[asked++];
      return present !== undefined
        ? Promise.resolve(present)
        : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** Connects as a submitter; hangs up after the test. */
export async function dial(
  t: TestContext,
  address: string,
  options: Partial<ConnectOptions> = {},
): Promise<WorkerLink> {
  const link = await connectWorker({
    address,
    expectedNodeId: 'worker',
    security: INSECURE,
    hello: { nodeId: 'submitter', nodeName: 'submitter-name', agentVersion: '0' },
    connectTimeoutMs: 5_000,
    ...options,
  });
  t.after(() => link.close());
  return link;
}

/** Collects what Node complains about (too many listeners, for one) while a test runs. */
export function nodeWarnings(t: TestContext): string[] {
  const seen: string[] = [];
  const note = (warning: Error): void => void seen.push(String(warning));
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  return seen;
}

/** Resolves when the condition holds; fails after a time that only a defect reaches. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`still not so after 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
