/** The pairing part of the mesh room: inviting a node, and joining with a code. */
export {
  DEFAULT_VALIDITY_MS,
  type Invitation,
  type InvitationClock,
  type InvitationEnd,
  type InvitationOptions,
  type Joiner,
  MAX_WRONG_SECRETS,
  openInvitation,
} from './invitation.ts';
export { formatInvitationCode, type InvitationCode, parseInvitationCode } from './invitation-code.ts';
export { type JoinedMembership, type JoinOptions, joinMesh } from './join.ts';
export type { PairingAddress, PairingAddresses, PairingSighting } from './pairing-addresses.ts';
