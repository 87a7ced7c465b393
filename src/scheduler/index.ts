/** Decisions about where and when a job runs: pure, without input or output of their own. */
export { FairQueue } from './fair-queue.ts';
export { type Candidate, placeJob } from './place.ts';
export { type Release, Slots } from './slots.ts';
