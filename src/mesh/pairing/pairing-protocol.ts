/** The pairing service as TypeScript sees it: message shapes, bounds, and the definition out of the .proto file. */
import { join } from 'node:path';
import type * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PACKAGE_ROOT } from '../../base/package-root.ts';

/** JoinRequest of pairing.proto. */
export interface JoinRequest {
  readonly secret: Uint8Array;
  readonly csrPem: string;
  readonly nodeName: string;
}

/** Admission of pairing.proto. */
export interface Admission {
  readonly certificatePem: string;
  readonly caPem: string;
  readonly meshId: string;
}

/** Why a joiner was turned away; the names are those of pairing.proto. */
export type RefusalReason = 'REASON_UNSPECIFIED' | 'WRONG_SECRET' | 'INVITATION_CLOSED' | 'BAD_REQUEST';

/** Refusal of pairing.proto. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly detail: string;
}

/** JoinReply of pairing.proto: exactly one of the two is there. */
export interface JoinReply {
  readonly admission?: Admission | null;
  readonly refusal?: Refusal | null;
}

/** Bound of a JoinRequest, in bytes. */
export const MAX_REQUEST_BYTES = 4096;
/** Bound of a JoinReply, in bytes. */
export const MAX_REPLY_BYTES = 8192;
/** How long a joiner waits for the answer. */
export const JOIN_DEADLINE_MS = 10_000;

type JoinMethod = grpc.MethodDefinition<JoinRequest, JoinReply>;

let loaded: { readonly join: JoinMethod } | undefined;

/** The service definition; read from the package once, when a node first invites or joins. */
export function pairingService(): { readonly join: JoinMethod } {
  if (loaded === undefined) {
    const definition = loadSync(join(PACKAGE_ROOT, 'proto/meshcc/v1/pairing.proto'), {
      enums: String,
      defaults: true,
      oneofs: true,
    })['meshcc.v1.Pairing'];
    if (definition === undefined || !('Join' in definition)) {
      throw new Error('proto/meshcc/v1/pairing.proto does not define meshcc.v1.Pairing/Join');
    }
    loaded = { join: definition.Join as JoinMethod };
  }
  return loaded;
}
