/**
 * A mesh is a small certificate authority: who holds a certificate of it is a member. The founder keeps
 * the CA key and admits others; every name in a certificate is rebuilt here from the public key.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { MeshError, messageOf } from '../../base/errors.ts';
import { makeCertificate, publicKeyOfRequest } from './certificates.ts';
import { type Membership, saveMembership } from './membership.ts';
import { meshIdOf, nodeDnsName, nodeIdOf } from './names.ts';
import type { NodeIdentity } from './node-identity.ts';

/** What issuing needs of a mesh. */
export interface MeshAuthority {
  readonly caPem: string;
  readonly caKeyPem: string;
}

/** The name that a pairing server's certificate carries; no node can have it. */
export const PAIRING_DNS_NAME = 'pairing.meshcc';

/** A request for a P-256 key has 400 bytes. */
const MAX_REQUEST_CHARACTERS = 4096;

/**
 * Founds a mesh: makes its CA, issues this node's certificate and keeps both.
 * @returns the identity, now with its membership (which holds the CA key)
 * @throws MeshError MESHCC_PAIRING if the node belongs to a mesh already, MESHCC_IDENTITY if it cannot be kept
 */
export async function foundMesh(
  identity: NodeIdentity,
): Promise<NodeIdentity & { readonly membership: Membership }> {
  if (identity.membership !== undefined) {
    throw new MeshError(
      'MESHCC_PAIRING',
      `will not found a mesh: this node already belongs to mesh ${identity.membership.meshId}. To leave it, move the files membership*.json out of ${identity.directory} first.`,
    );
  }
  const ca = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const meshId = meshIdOf(ca.publicKey);
  const caKeyPem = ca.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const caPem = await makeCertificate({
    commonName: caCommonName(meshId),
    issuerCommonName: caCommonName(meshId),
    publicKey: ca.publicKey,
    issuerKeyPem: caKeyPem,
    issuerPublicKey: ca.publicKey,
    use: { kind: 'ca' },
  });
  const certificatePem = await certifyNode({ caPem, caKeyPem }, createPublicKey(identity.keyPem));
  const membership: Membership = { meshId, caPem, certificatePem, caKeyPem };
  saveMembership(identity.directory, identity.keyPem, membership);
  return { ...identity, membership };
}

/**
 * Issues the certificate that makes the sender of a request a member. Only the public key is taken from
 * the request; subject and names follow from it.
 * @param requestPem PKCS#10 in PEM, at most 4096 characters
 * @throws MeshError MESHCC_PAIRING if the request is malformed, not signed by its own key, or not P-256
 */
export async function issueCertificate(
  authority: MeshAuthority,
  requestPem: string,
): Promise<{ readonly certificatePem: string; readonly nodeId: string }> {
  let publicKey: KeyObject;
  try {
    if (requestPem.length > MAX_REQUEST_CHARACTERS) throw new Error(`it has ${requestPem.length} characters`);
    publicKey = await publicKeyOfRequest(requestPem);
  } catch (error) {
    throw new MeshError(
      'MESHCC_PAIRING',
      `cannot issue a certificate: the request cannot be accepted: ${messageOf(error)}. Run \`meshcc join\` again; if it persists, both nodes should run the same version.`,
      { cause: error },
    );
  }
  return { certificatePem: await certifyNode(authority, publicKey), nodeId: nodeIdOf(publicKey) };
}

/**
 * A throw-away server key and certificate for one invitation. It can serve pairing and nothing else: it
 * names no node, and it cannot be used by a client.
 * @returns the private key, and the chain with the CA included, so that the joiner can look at the CA
 */
export async function issuePairingCertificate(
  authority: MeshAuthority,
): Promise<{ readonly keyPem: string; readonly chainPem: string }> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const leafPem = await makeLeaf(authority, pair.publicKey, PAIRING_DNS_NAME, PAIRING_DNS_NAME, [
    'serverAuth',
  ]);
  return {
    keyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chainPem: leafPem + authority.caPem,
  };
}

function caCommonName(meshId: string): string {
  return `meshcc CA ${meshId}`;
}

async function certifyNode(authority: MeshAuthority, publicKey: KeyObject): Promise<string> {
  const nodeId = nodeIdOf(publicKey);
  return makeLeaf(authority, publicKey, nodeId, nodeDnsName(nodeId), ['serverAuth', 'clientAuth']);
}

async function makeLeaf(
  authority: MeshAuthority,
  publicKey: KeyObject,
  commonName: string,
  dnsName: string,
  purposes: readonly ('serverAuth' | 'clientAuth')[],
): Promise<string> {
  const issuerPublicKey = new X509Certificate(authority.caPem).publicKey;
  return makeCertificate({
    commonName,
    issuerCommonName: caCommonName(meshIdOf(issuerPublicKey)),
    publicKey,
    issuerKeyPem: authority.caKeyPem,
    issuerPublicKey,
    use: { kind: 'leaf', dnsName, purposes },
  });
}
