/**
 * The inviting side: a listener that is open only while its invitation is, admits one node, and closes
 * itself. Whoever has the code may come; the code is all the trust there is, so guesses are counted.
 */
import { randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { MeshError, messageOf } from '../../base/errors.ts';
import {
  isNodeName,
  issueCertificate,
  issuePairingCertificate,
  type MeshAuthority,
  type NodeIdentity,
  publicKeyFingerprint,
} from '../identity/index.ts';
import { formatInvitationCode, SECRET_BYTES } from './invitation-code.ts';
import {
  type JoinReply,
  type JoinRequest,
  MAX_REQUEST_BYTES,
  pairingService,
  type RefusalReason,
} from './pairing-protocol.ts';

/** How an invitation ended. */
export type InvitationEnd = 'used' | 'expired' | 'voided' | 'cancelled';

/** The node that an invitation admitted. */
export interface Joiner {
  readonly nodeId: string;
  readonly name: string;
}

/** Time as an invitation needs it. It runs by a timer, so that a clock set by NTP neither shortens nor extends it. */
export interface InvitationClock {
  /** Calls back after a delay, unless the returned function is called first. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface InvitationOptions {
  /** A member that holds the CA key. */
  readonly identity: NodeIdentity;
  /** Default: ten minutes. */
  readonly validityMs?: number;
  /** Default: every IPv4 address. */
  readonly bindAddress?: string;
  /** Default: any free port. */
  readonly port?: number;
  readonly clock?: InvitationClock;
  /** Told as soon as a node is admitted, before `closed` resolves. */
  readonly onJoined?: (joiner: Joiner) => void;
}

/** An open invitation. */
export interface Invitation {
  readonly code: string;
  /** TCP port of the pairing listener; announce it while the invitation is open. */
  readonly port: number;
  /** Resolves when the invitation is over and its listener closed. Never rejects. */
  readonly closed: Promise<InvitationEnd>;
  /** Withdraws the invitation; resolves as `closed` does. */
  close(): Promise<InvitationEnd>;
}

export const DEFAULT_VALIDITY_MS = 10 * 60 * 1000;
/** After this many wrong secrets the code is void: somebody is guessing. */
export const MAX_WRONG_SECRETS = 5;

/** Time for the last reply to reach its reader before the listener is torn down. */
const FLUSH_MS = 2000;

const SERVER_OPTIONS: grpc.ServerOptions = {
  'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
  'grpc.max_concurrent_streams': 4,
  // Nobody has business on this port for longer than one call.
  'grpc.max_connection_age_ms': 15_000,
  'grpc.max_connection_age_grace_ms': 5_000,
};

const SYSTEM_CLOCK: InvitationClock = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Opens an invitation and the listener that serves it.
 * @throws MeshError MESHCC_PAIRING if this node cannot invite or the port cannot be had
 */
export async function openInvitation(options: InvitationOptions): Promise<Invitation> {
  const { membership } = options.identity;
  if (membership?.caKeyPem === undefined) {
    const why =
      membership === undefined
        ? 'this node belongs to no mesh'
        : `only the node that founded mesh ${membership.meshId} holds the key to admit others`;
    throw new MeshError(
      'MESHCC_PAIRING',
      `cannot invite: ${why}. Run \`meshcc invite\` on the founding node.`,
    );
  }
  const { caPem, caKeyPem, meshId } = membership;
  const invitation = new OpenInvitation({ caPem, caKeyPem }, meshId, options);
  await invitation.listen(options.bindAddress ?? '0.0.0.0', options.port ?? 0);
  return invitation;
}

class OpenInvitation implements Invitation {
  readonly code: string;
  readonly closed: Promise<InvitationEnd>;
  port = 0;
  readonly #authority: MeshAuthority;
  readonly #meshId: string;
  readonly #options: InvitationOptions;
  readonly #secret = randomBytes(SECRET_BYTES);
  readonly #server = new grpc.Server(SERVER_OPTIONS);
  #wrongSecrets = 0;
  #ended: InvitationEnd | undefined;
  #cancelExpiry: () => void = () => {};
  #resolveClosed: (end: InvitationEnd) => void = () => {};

  constructor(authority: MeshAuthority, meshId: string, options: InvitationOptions) {
    this.#authority = authority;
    this.#meshId = meshId;
    this.#options = options;
    const fingerprint = publicKeyFingerprint(new X509Certificate(authority.caPem).publicKey);
    this.code = formatInvitationCode(fingerprint, this.#secret);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  async listen(bindAddress: string, port: number): Promise<void> {
    const { keyPem, chainPem } = await issuePairingCertificate(this.#authority);
    const pair = { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(chainPem) };
    const service = pairingService();
    const join: grpc.handleUnaryCall<JoinRequest, JoinReply> = (call, reply) => {
      this.#answer(call.request).then(
        (answer) => reply(null, answer),
        (error) => reply({ code: grpc.status.INTERNAL, details: messageOf(error) }),
      );
    };
    this.#server.addService(service, { join });
    const host = bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress;
    try {
      this.port = await new Promise<number>((resolve, reject) => {
        const credentials = grpc.ServerCredentials.createSsl(null, [pair], false);
        this.#server.bindAsync(`${host}:${port}`, credentials, (error, bound) =>
          error === null ? resolve(bound) : reject(error),
        );
      });
    } catch (error) {
      this.#server.forceShutdown();
      throw new MeshError(
        'MESHCC_PAIRING',
        `cannot listen for the joining node on ${host}:${port}: ${messageOf(error)}. Choose another port or address.`,
        { cause: error },
      );
    }
    const validityMs = this.#options.validityMs ?? DEFAULT_VALIDITY_MS;
    this.#cancelExpiry = (this.#options.clock ?? SYSTEM_CLOCK).after(validityMs, () => this.#end('expired'));
  }

  close(): Promise<InvitationEnd> {
    this.#end('cancelled');
    return this.closed;
  }

  async #answer(request: JoinRequest): Promise<JoinReply> {
    if (this.#ended !== undefined) return refusal('INVITATION_CLOSED', '');
    if (!this.#isSecret(request.secret)) {
      this.#wrongSecrets += 1;
      if (this.#wrongSecrets >= MAX_WRONG_SECRETS) this.#end('voided');
      return refusal('WRONG_SECRET', `${MAX_WRONG_SECRETS - this.#wrongSecrets} attempts are left`);
    }
    if (!isNodeName(request.nodeName)) return refusal('BAD_REQUEST', 'the node name is not acceptable');
    return this.#admit(request);
  }

  async #admit(request: JoinRequest): Promise<JoinReply> {
    try {
      const { certificatePem, nodeId } = await issueCertificate(this.#authority, request.csrPem);
      // Another node may have been admitted while this certificate was made; then it is thrown away.
      if (this.#ended !== undefined) return refusal('INVITATION_CLOSED', '');
      this.#options.onJoined?.({ nodeId, name: request.nodeName });
      this.#end('used');
      return { admission: { certificatePem, caPem: this.#authority.caPem, meshId: this.#meshId } };
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      return refusal('BAD_REQUEST', error.message);
    }
  }

  #isSecret(secret: Uint8Array): boolean {
    return secret.length === SECRET_BYTES && timingSafeEqual(secret, this.#secret);
  }

  #end(end: InvitationEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#cancelExpiry();
    // A connection that never finished its handshake is no reason to wait.
    const force = setTimeout(() => {
      this.#server.forceShutdown();
      this.#resolveClosed(end);
    }, FLUSH_MS);
    this.#server.tryShutdown(() => {
      clearTimeout(force);
      this.#resolveClosed(end);
    });
  }
}

function refusal(reason: RefusalReason, detail: string): JoinReply {
  return { refusal: { reason, detail } };
}
