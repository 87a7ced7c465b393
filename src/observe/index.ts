/** What happened, for people: counts, reasons and logs. */
export { ALL_BUILDS, type BuildSummary, type JobRecord, Ledger } from './ledger.ts';
export { createLogger, type LogFormat } from './logger.ts';
export { LoopDelay, type LoopDelayFigures } from './loop-delay.ts';
export type { ComparisonEnd, VerificationSummary } from './verification-counts.ts';
