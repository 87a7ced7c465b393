/** Decisions about where and when a job runs: no input or output of their own. */
export { type ExpectedNode, ExpectedNodes } from './expected-nodes.ts';
export { FairQueue } from './fair-queue.ts';
export { type Candidate, placeJob } from './place.ts';
export { type Release, Slots } from './slots.ts';
export {
  isNeededAsProof,
  isOnProbation,
  judge,
  type NodeResult,
  type Scrutiny,
  type SecondCompiler,
  type Standing,
  sample,
  type Verdict,
  type VerificationPolicy,
  type VerificationSettings,
  verificationPolicy,
} from './verification.ts';
