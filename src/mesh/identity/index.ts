/** The identity part of the mesh room: this node's key, the mesh's CA, and the names that follow from keys. */
export { base32Decode, base32Encode } from './base32.ts';
export { makeCertificateRequest } from './certificates.ts';
export { loadMembership, type Membership, membershipFault, saveMembership } from './membership.ts';
export {
  foundMesh,
  issueCertificate,
  issuePairingCertificate,
  type MeshAuthority,
  PAIRING_DNS_NAME,
} from './mesh-ca.ts';
export {
  isMeshId,
  isNodeId,
  isNodeName,
  meshIdOf,
  meshIdOfFingerprint,
  nodeDnsName,
  nodeIdOf,
  nodeNameFrom,
  publicKeyFingerprint,
} from './names.ts';
export { type NodeIdentity, openIdentity } from './node-identity.ts';
