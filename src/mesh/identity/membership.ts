/**
 * What makes a node a member: the CA's certificate and its own, checked against each other and against
 * the node's key. One file holds all of it, so that a power cut never leaves the halves of two meshes.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { MeshError, messageOf } from '../../base/errors.ts';
import { isMeshId, meshIdOf, nodeDnsName, nodeIdOf } from './names.ts';
import { readPrivateFile, replacePrivateFile } from './private-files.ts';

/** The mesh that a node belongs to, and its proof. All certificates and keys are PEM. */
export interface Membership {
  /** 16 hexadecimal digits, see {@link meshIdOf}. */
  readonly meshId: string;
  readonly caPem: string;
  /** This node's certificate, issued by the CA. */
  readonly certificatePem: string;
  /** Only on the node that founded the mesh, the one that can invite. */
  readonly caKeyPem?: string;
}

const FILE_NAME = 'membership.json';

/**
 * Says why a membership does not hold for a node key, or undefined if it does. Checks signatures, names
 * and keys, not dates: a board without a clock must not lose its membership.
 * @param keyPem the private key of this node
 */
export function membershipFault(membership: Membership, keyPem: string): string | undefined {
  try {
    const ca = new X509Certificate(membership.caPem);
    const own = new X509Certificate(membership.certificatePem);
    const key = createPrivateKey(keyPem);
    if (!ca.ca) return 'the certificate of the mesh is not one of a certificate authority';
    if (meshIdOf(ca.publicKey) !== membership.meshId) return 'the mesh id is not that of its CA';
    if (!own.checkIssued(ca) || !own.verify(ca.publicKey))
      return 'the certificate was not issued by the mesh CA';
    if (!own.checkPrivateKey(key)) return 'the certificate is not for the key of this node';
    const dnsName = nodeDnsName(nodeIdOf(createPublicKey(keyPem)));
    if (own.subjectAltName !== `DNS:${dnsName}`) return `the certificate does not name ${dnsName}`;
    if (membership.caKeyPem !== undefined && !ca.checkPrivateKey(createPrivateKey(membership.caKeyPem)))
      return 'the CA key does not belong to the CA certificate';
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * The membership kept in an identity directory, or undefined if the node belongs to no mesh.
 * @throws MeshError MESHCC_IDENTITY if the file is damaged or does not fit the key
 */
export function loadMembership(directory: string, keyPem: string): Membership | undefined {
  const path = join(directory, FILE_NAME);
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  const membership = parseMembership(text);
  const fault = membership === undefined ? 'it is not a membership' : membershipFault(membership, keyPem);
  if (membership === undefined || fault !== undefined) {
    throw new MeshError(
      'MESHCC_IDENTITY',
      `cannot use ${path}: ${fault}. Restore it from a backup, or remove it and join the mesh again with a new code from \`meshcc invite\`.`,
    );
  }
  return membership;
}

/**
 * Keeps a membership. One of another mesh is set aside as `membership.<meshId>.json`: it may hold the
 * only copy of that mesh's CA key.
 * @throws MeshError MESHCC_IDENTITY if the file system refuses, or the membership does not fit the key
 */
export function saveMembership(directory: string, keyPem: string, membership: Membership): void {
  const fault = membershipFault(membership, keyPem);
  if (fault !== undefined) {
    throw new MeshError('MESHCC_IDENTITY', `will not keep a membership that does not hold: ${fault}.`);
  }
  const path = join(directory, FILE_NAME);
  const old = readPrivateFile(path);
  const oldMembership = old === undefined ? undefined : parseMembership(old);
  if (old !== undefined && oldMembership !== undefined && oldMembership.meshId !== membership.meshId) {
    replacePrivateFile(join(directory, `membership.${oldMembership.meshId}.json`), old);
  }
  replacePrivateFile(path, `${JSON.stringify(membership, null, 2)}\n`);
}

function parseMembership(text: string): Membership | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { meshId, caPem, certificatePem, caKeyPem } = value as Record<string, unknown>;
  if (typeof meshId !== 'string' || !isMeshId(meshId)) return undefined;
  if (typeof caPem !== 'string' || typeof certificatePem !== 'string') return undefined;
  if (caKeyPem === undefined) return { meshId, caPem, certificatePem };
  return typeof caKeyPem === 'string' ? { meshId, caPem, certificatePem, caKeyPem } : undefined;
}
