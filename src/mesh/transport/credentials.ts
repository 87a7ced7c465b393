/**
 * The only place where gRPC credentials are made. Two traps it closes: `createSsl` without
 * `checkClientCertificate` admits anyone, and a client that does not name the node it expects would
 * accept any member of the mesh in its place.
 */
import * as grpc from '@grpc/grpc-js';
import { nodeDnsName } from '../identity/index.ts';

/** How connections are secured: mutual TLS with the mesh's CA, or (asked for by name) not at all. */
export type Security =
  | {
      readonly kind: 'mutual-tls';
      readonly caPem: string;
      readonly certificatePem: string;
      readonly keyPem: string;
    }
  | { readonly kind: 'insecure' };

/** Server credentials that admit members of the mesh only. */
export function serverCredentials(security: Security): grpc.ServerCredentials {
  if (security.kind === 'insecure') return grpc.ServerCredentials.createInsecure();
  return grpc.ServerCredentials.createSsl(
    Buffer.from(security.caPem),
    [{ private_key: Buffer.from(security.keyPem), cert_chain: Buffer.from(security.certificatePem) }],
    true,
  );
}

/** Client credentials, with what they tell about the server that answered. */
export interface ClientIdentity {
  readonly credentials: grpc.ChannelCredentials;
  readonly options: grpc.ChannelOptions;
  /** Node id in the certificate of the server, once a connection stands; undefined without TLS. */
  readonly serverId: () => string | undefined;
}

/**
 * Client credentials that accept one node, or, for an address that a person typed, any member of the mesh.
 * @param expectedNodeId undefined: any member
 */
export function clientCredentials(security: Security, expectedNodeId: string | undefined): ClientIdentity {
  if (security.kind === 'insecure') {
    return { credentials: grpc.credentials.createInsecure(), options: {}, serverId: () => undefined };
  }
  let serverId: string | undefined;
  const credentials = grpc.credentials.createSsl(
    Buffer.from(security.caPem),
    Buffer.from(security.keyPem),
    Buffer.from(security.certificatePem),
    {
      // The chain has been verified against the mesh's CA when this is asked.
      checkServerIdentity: (_host, certificate) => {
        const name = String(certificate.subject.CN);
        const isNode = certificate.subjectaltname === `DNS:${nodeDnsName(name)}`;
        if (!isNode || (expectedNodeId !== undefined && name !== expectedNodeId)) {
          return new Error(`the certificate belongs to ${certificate.subjectaltname ?? name}`);
        }
        serverId = name;
        return undefined;
      },
    },
  );
  const name = nodeDnsName(expectedNodeId ?? 'any');
  return {
    credentials,
    options: { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name },
    serverId: () => serverId,
  };
}
