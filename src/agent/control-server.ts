/** What `meshcc status`, `nodes`, `invite` and the like ask an agent: JSON over HTTP on a Unix socket of the user's own. */
import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MeshError, messageOf } from '../base/errors.ts';
import { JSON_LINES_TYPE } from '../base/json-lines.ts';
import { PACKAGE_VERSION } from '../base/package-root.ts';
import { ALL_BUILDS } from '../observe/index.ts';
import { listenReplacingStale } from '../submitter/index.ts';
import type { Agent } from './agent.ts';
import type { JobView, QuarantineView, StatusView } from './control-views.ts';
import { NodeBench } from './node-bench.ts';
import { nodesOf, quarantineView } from './node-views.ts';
import { otherHostsOf, toolchainsOf } from './toolchain-views.ts';

const MAX_BODY_BYTES = 64 * 1024;
const DEFAULT_VALIDITY_MS = 600_000;

/** A question that takes its time: who asked is told what is being done, and may go. */
interface Follower {
  readonly onProgress: (sentence: string) => void;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

type Handler = (agent: Agent, body: Record<string, unknown>, url: URL, follower: Follower) => unknown;

/** Every question, as `METHOD /path`. */
const HANDLERS: Record<string, Handler> = {
  'GET /v1/status': (agent) => statusOf(agent),
  'GET /v1/nodes': (agent) => ({ nodes: nodesOf(agent) }),
  'GET /v1/toolchains': (agent) => toolchainsOf(agent),
  'GET /v1/builds': (agent, _body, url) => agent.ledger.summary(url.searchParams.get('id') ?? ALL_BUILDS),
  'GET /v1/jobs': (agent, _body, url) => ({ jobs: jobsOf(agent, url.searchParams) }),
  'POST /v1/release': (agent, body) => ({ released: release(agent, String(body.node)) }),
  'POST /v1/invite': async (agent, body) => {
    const isNewMesh = agent.mesh.meshId === undefined;
    const invitation = await agent.mesh.invite(Number(body.validityMs ?? DEFAULT_VALIDITY_MS));
    return { code: invitation.code, port: invitation.port, isNewMesh };
  },
  'POST /v1/join': async (agent, body, _url, follower) => {
    const address = typeof body.address === 'string' ? body.address : undefined;
    const joined = await agent.mesh.join(String(body.code), address, body.force === true, follower);
    return { meshId: joined.meshId, alreadyMember: joined.alreadyMember };
  },
  'POST /v1/bench': (agent, body, _url, follower) => {
    const nodes = Array.isArray(body.nodes) ? body.nodes.map(String) : [];
    return NodeBench.run(agent, { nodes, isShort: body.isShort === true }, follower);
  },
};

/** @throws MeshError MESHCC_BAD_CONFIG if nothing of that node is in quarantine */
function release(agent: Agent, node: string): QuarantineView[] {
  const released = agent.submitter?.release(node) ?? [];
  if (released.length > 0) return released.map((each) => quarantineView(agent, each));
  throw new MeshError(
    'MESHCC_BAD_CONFIG',
    `no compiler of a node "${node}" is in quarantine; \`meshcc nodes\` shows those that are`,
  );
}

export interface ControlServer {
  close(): void;
}

/**
 * Listens for commands.
 * @param agent a promise, because the socket is claimed before the agent has started: two agents must not both start
 * @param onStop called when a command asks the agent to stop
 * @throws MeshError MESHCC_AGENT_RUNNING if an agent listens there already
 */
export async function serveControl(
  path: string,
  agent: Promise<Agent>,
  onStop: (drain: boolean) => void,
): Promise<ControlServer> {
  agent.catch(() => {});
  const server: Server = createServer((request, response) => void answer(request, response, agent, onStop));
  await listenReplacingStale(server, path);
  chmodSync(path, 0o600);
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  starting: Promise<Agent>,
  onStop: (drain: boolean) => void,
): Promise<void> {
  const reply = new Reply(request, response);
  try {
    const url = new URL(request.url ?? '/', 'http://agent');
    const route = `${request.method} ${url.pathname}`;
    const body = await readBody(request);
    if (route === 'POST /v1/stop') {
      reply.end(200, {});
      onStop(body.now !== true);
      return;
    }
    const handler = HANDLERS[route];
    if (handler === undefined) return reply.end(404, { error: `no such question: ${route}` });
    const agent = await starting;
    reply.end(200, await handler(agent, body, url, reply));
  } catch (error) {
    const code = error instanceof MeshError ? error.code : undefined;
    reply.end(400, { error: messageOf(error), code });
  }
}

/** One JSON value; or, for who asks for lines, what is being done in a line each, and the value in the last. */
class Reply implements Follower {
  readonly #response: ServerResponse;
  readonly #inLines: boolean;
  readonly #gone = new AbortController();
  readonly signal = this.#gone.signal;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response;
    this.#inLines = request.headers.accept === JSON_LINES_TYPE;
    response.once('close', () => this.#gone.abort());
  }

  readonly onProgress = (sentence: string): void => {
    if (this.#inLines) this.#line(200, { progress: sentence });
  };

  end(status: number, value: unknown): void {
    this.#line(status, this.#inLines && status === 200 ? { answer: value } : value);
    this.#response.end();
  }

  #line(status: number, value: unknown): void {
    const type = this.#inLines ? JSON_LINES_TYPE : 'application/json';
    if (!this.#response.headersSent) this.#response.writeHead(status, { 'content-type': type });
    this.#response.write(`${JSON.stringify(value)}\n`);
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new MeshError('MESHCC_PROTOCOL', 'the question is too long');
    pieces.push(piece);
  }
  if (sizeBytes === 0) return {};
  const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function statusOf(agent: Agent): StatusView {
  const nodes = nodesOf(agent);
  return {
    version: PACKAGE_VERSION,
    nodeId: agent.identity.nodeId,
    name: agent.identity.name,
    pid: process.pid,
    uptimeSeconds: Math.round((Date.now() - agent.startedAtMs) / 1000),
    insecure: agent.config.insecure,
    meshId: agent.mesh.meshId,
    port: agent.mesh.port,
    shimSocket: agent.paths.shimSocket,
    connectedNodes: nodes.filter((node) => node.state === 'connected').length,
    worker: {
      ...agent.workerState,
      slots: agent.worker?.slots ?? 0,
      ...(agent.worker?.load ?? { running: 0, waiting: 0, submitters: [] }),
    },
    submitter:
      agent.submitter === undefined
        ? undefined
        : { ...agent.submitter.load, localSlots: agent.config.localSlots },
    compilers: agent.compilers.toolchains.map(({ toolchain, names }) => ({
      id: toolchain.id,
      names: [...names],
      languages: [...toolchain.languages],
      version: toolchain.version,
      targetTriple: toolchain.targetTriple,
    })),
    unusableCompilers: agent.compilers.unusable.map(({ compilerPath, reason }) => ({
      path: compilerPath,
      reason,
    })),
    eventLoopDelay: agent.loopDelay.figures,
    otherHosts: otherHostsOf(agent),
    quarantine: (agent.submitter?.quarantined ?? []).map((each) => quarantineView(agent, each)),
    jobs: agent.ledger.summary(ALL_BUILDS),
  };
}

function jobsOf(agent: Agent, query: URLSearchParams): JobView[] {
  const limit = Number(query.get('limit') ?? 50);
  const reason = query.get('reason');
  const build = query.get('build');
  const jobs = agent.ledger.recent().filter((job) => {
    if (build !== null && job.buildId !== build) return false;
    if (query.get('place') === 'local' && job.place.kind !== 'local') return false;
    return reason === null || (job.place.kind === 'local' && job.place.reason === reason);
  });
  return jobs.slice(-limit).map((job) => ({ ...job, wallMs: Math.round(job.wallMs) }));
}
