/** Every bound and interval of the source view in one table; a parameter, so that a test can narrow one. */

export interface FreshnessLimits {
  /** How long the barrier's own event may take before it counts as lost. It is queued before it is waited for. */
  readonly cookieTimeoutMs: number;
  /** Coarsest timestamp in use: a file hashed this soon after a change could change again unseen by stat. */
  readonly racyWindowMs: number;
  /** Now and then each file in use is checked by stat although no event named it; see docs/freshness.md. */
  readonly auditIntervalMs: number;
  /** How often the mount table is looked at: mounting is the one change of a tree that causes no event. */
  readonly mountCheckIntervalMs: number;
  /** Directories watched; at this many the coldest half is forgotten, at twice as many further ones are not watched. */
  readonly maxDirectories: number;
  /** Paths remembered, absent ones included; at this many the coldest half is forgotten. */
  readonly maxNames: number;
  /** A larger file is read in a thread of its own: scanning it would hold the event loop for milliseconds. */
  readonly largeFileBytes: number;
  /** A larger file cannot be an input. */
  readonly maxFileBytes: number;
  /** How often a file that changes while it is read is read again before it counts as unreadable. */
  readonly maxReads: number;
  /** How long examining may hold the event loop. */
  readonly sliceMs: number;
}

export const FRESHNESS_LIMITS: FreshnessLimits = {
  cookieTimeoutMs: 50,
  racyWindowMs: 2_000,
  auditIntervalMs: 60_000,
  mountCheckIntervalMs: 1_000,
  maxDirectories: 16_384,
  maxNames: 400_000,
  largeFileBytes: 256 * 1024,
  maxFileBytes: 256 * 1024 * 1024,
  maxReads: 4,
  sliceMs: 8,
};
