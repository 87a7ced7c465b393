/**
 * The joining side. It looks at the CA behind an address, compares it with the code, and only then says
 * the secret, over TLS that accepts nothing but this CA. What comes back is checked before it is kept.
 */
import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { createSecureContext } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { MeshError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import {
  type Membership,
  makeCertificateRequest,
  membershipFault,
  type NodeIdentity,
  nodeNameFrom,
  PAIRING_DNS_NAME,
  publicKeyFingerprint,
  saveMembership,
} from '../identity/index.ts';
import { fetchCertificateChain } from './certificate-chain.ts';
import { type InvitationCode, parseInvitationCode } from './invitation-code.ts';
import { FinalRefusal, findInviter, SEARCH_LIMITS, type SearchLimits } from './inviter-search.ts';
import type { PairingAddress, PairingAddresses } from './pairing-addresses.ts';
import {
  type Admission,
  JOIN_DEADLINE_MS,
  type JoinReply,
  type JoinRequest,
  MAX_REPLY_BYTES,
  MAX_REQUEST_BYTES,
  pairingService,
  type Refusal,
} from './pairing-protocol.ts';

export interface JoinOptions {
  readonly identity: NodeIdentity;
  /** As the person typed it. */
  readonly code: string;
  readonly addresses: PairingAddresses;
  /** Leave the present mesh for that of the code. */
  readonly force?: boolean;
  /** How long to look for the inviter among sightings. */
  readonly limits?: Partial<SearchLimits>;
  /** Ends the search for the inviter. */
  readonly signal?: AbortSignal;
  /** Told in sentences what is being done. */
  readonly onProgress?: (sentence: string) => void;
}

/** The membership that a join ended with. */
export interface JoinedMembership extends Membership {
  /** True if the node had this membership before, and nothing was done. */
  readonly alreadyMember: boolean;
}

const LOOK_TIMEOUT_MS = 5_000;

/**
 * Joins the mesh that a code invites to, and keeps the membership.
 * @throws MeshError MESHCC_PAIRING if the code is wrong, the node belongs to another mesh (and `force` is
 * not set), no inviter is found, or it refuses; MESHCC_IDENTITY if the membership cannot be kept
 */
export async function joinMesh(options: JoinOptions): Promise<JoinedMembership> {
  const code = parseInvitationCode(options.code);
  const { identity } = options;
  if (identity.membership?.meshId === code.meshId) return { ...identity.membership, alreadyMember: true };
  if (identity.membership !== undefined && options.force !== true) {
    throw new MeshError(
      'MESHCC_PAIRING',
      `will not join mesh ${code.meshId}: this node belongs to mesh ${identity.membership.meshId}. To leave that one, run the same command with --force; its membership is set aside in ${identity.directory}.`,
    );
  }
  const request: JoinRequest = {
    secret: code.secret,
    csrPem: await makeCertificateRequest(identity.keyPem, identity.nodeId),
    nodeName: nodeNameFrom(identity.name),
  };
  const admission = await findInviter({
    meshId: code.meshId,
    addresses: options.addresses,
    limits: { ...SEARCH_LIMITS, ...options.limits },
    signal: options.signal,
    onProgress: options.onProgress ?? (() => {}),
    ask: (address) => joinAt(address, code, request, identity),
  });
  const membership: Membership = {
    meshId: admission.meshId,
    // Rewritten, because PEM text can hold more certificates than the one that was checked.
    caPem: new X509Certificate(admission.caPem).toString(),
    certificatePem: new X509Certificate(admission.certificatePem).toString(),
  };
  saveMembership(identity.directory, identity.keyPem, membership);
  return { ...membership, alreadyMember: false };
}

async function joinAt(
  address: PairingAddress,
  code: InvitationCode,
  request: JoinRequest,
  identity: NodeIdentity,
): Promise<Admission> {
  const chain = await fetchCertificateChain(address.host, address.port, LOOK_TIMEOUT_MS);
  const ca = chain.find((certificate) => isInvitingCa(certificate, code));
  if (ca === undefined) throw new Error('another mesh answers there, or it is not a pairing port');
  const reply = await callJoin(address, ca.toString(), request);
  if (reply.refusal) throw new FinalRefusal(refusalText(reply.refusal));
  const { admission } = reply;
  if (!admission) throw new Error('it answered neither yes nor no');
  const membership: Membership = { ...admission };
  const fault =
    admission.meshId === code.meshId
      ? membershipFault(membership, identity.keyPem)
      : `it is for mesh ${JSON.stringify(admission.meshId.slice(0, 32))}`;
  if (fault !== undefined) throw new Error(`the membership that it sent does not hold: ${fault}`);
  return admission;
}

function isInvitingCa(certificate: X509Certificate, code: InvitationCode): boolean {
  const fingerprint = publicKeyFingerprint(certificate.publicKey);
  return certificate.ca && fingerprint.subarray(0, code.caFingerprint.length).equals(code.caFingerprint);
}

function callJoin(address: PairingAddress, caPem: string, request: JoinRequest): Promise<JoinReply> {
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  const context = createSecureContext({ ca: caPem, minVersion: 'TLSv1.3' });
  const client = new grpc.Client(
    `${host}:${address.port}`,
    grpc.credentials.createFromSecureContext(context),
    {
      'grpc.ssl_target_name_override': PAIRING_DNS_NAME,
      'grpc.default_authority': PAIRING_DNS_NAME,
      'grpc.enable_http_proxy': 0,
      'grpc.max_send_message_length': MAX_REQUEST_BYTES,
      'grpc.max_receive_message_length': MAX_REPLY_BYTES,
    },
  );
  const { path, requestSerialize, responseDeserialize } = pairingService().join;
  return new Promise<JoinReply>((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      { deadline: Date.now() + JOIN_DEADLINE_MS },
      (error, reply) => {
        if (error !== null) reject(error);
        else if (reply === undefined) reject(new Error('it sent no reply'));
        else resolve(reply);
      },
    );
  }).finally(() => client.close());
}

/** What each refusal means to a person, and what to do. */
const REFUSALS: Readonly<Partial<Record<Refusal['reason'], readonly [meaning: string, advice: string]>>> = {
  WRONG_SECRET: [
    'the code is not that of the invitation now open',
    'Type it again, or ask for a new one with `meshcc invite`.',
  ],
  INVITATION_CLOSED: [
    'the invitation is over',
    'A code is good for one node and a short time; ask for a new one with `meshcc invite`.',
  ],
  BAD_REQUEST: ['it did not accept the request', 'Both nodes should run the same version of meshcc.'],
};

function refusalText(refusal: Refusal): string {
  const detail = printable(refusal.detail);
  // A later version may know more reasons.
  const [meaning, advice] = REFUSALS[refusal.reason] ?? ['', 'Ask for a new code with `meshcc invite`.'];
  const what = meaning === '' || detail === '' ? meaning + detail : `${meaning} (${detail})`;
  return `the inviting node refused: ${what}. ${advice}`;
}
