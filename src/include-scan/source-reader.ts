/** Reads one source: bytes that belong together, their digest, and what their text asks for. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { digestOf } from '../base/digest.ts';
import { scanDirectives } from './directive-scan.ts';
import type { FreshnessLimits } from './freshness-limits.ts';
import { type PathStamp, sameStamp, stampOfStats } from './path-stamp.ts';
import type { SourceFile } from './source-view-port.ts';

/** The content of a file as last read, and what makes it trustworthy. */
export interface KnownContent {
  readonly file: SourceFile;
  readonly stamp: PathStamp;
  /** When this stamp was first seen, by the monotonic clock. */
  readonly stampSeenMs: number;
  /** False: the file could have changed since without a change of the stamp. */
  readonly settled: boolean;
  /** The name's `changes` when it was read. */
  readonly changes: number;
  /** The refresh period in which it was last found to be right. */
  checkedEpoch: number;
}

/** How a file is read. */
export interface ReadOptions {
  readonly limits: FreshnessLimits;
  /** True if the file's times are set by the clock of this machine. */
  readonly localClock: boolean;
  readonly changes: number;
  readonly epoch: number;
  /** What was known before: the same content gives the same object. */
  readonly previous: KnownContent | undefined;
}

/** O_NONBLOCK: a FIFO that took the file's place must not stop the process. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads a regular file; undefined if there is none, it is unreadable, too large, or never still. */
export function readSource(path: string, options: ReadOptions): KnownContent | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, OPEN_FLAGS);
  } catch {
    return undefined;
  }
  try {
    for (let reads = 0; reads < options.limits.maxReads; reads++) {
      const read = readOnce(descriptor, options.limits);
      if (read === undefined) return undefined;
      if (sameStamp(read.before, read.after)) return knownContent(path, read, options);
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

interface StampedBytes {
  /** Valid until the next file is read. */
  readonly content: Buffer;
  readonly before: PathStamp;
  readonly after: PathStamp;
  /** Clocks when reading began. */
  readonly startedMs: number;
  readonly startedDateMs: number;
}

/** Where small files are read, one after the other: nothing of their bytes is kept. */
const SCRATCH_BYTES = 128 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Reads to the end, which may have moved since the size was asked: then the stamps differ. */
function readSmall(descriptor: number): Buffer {
  let length = 0;
  for (;;) {
    const bytesRead = readSync(descriptor, scratch, length, SCRATCH_BYTES - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === SCRATCH_BYTES) return scratch.subarray(0, length);
  }
}

function readOnce(descriptor: number, limits: FreshnessLimits): StampedBytes | undefined {
  const startedMs = performance.now();
  const startedDateMs = Date.now();
  const stats = fstatSync(descriptor);
  if (!stats.isFile() || stats.size > limits.maxFileBytes) return undefined;
  const content = stats.size < SCRATCH_BYTES ? readSmall(descriptor) : readFileSync(descriptor);
  return {
    content,
    before: stampOfStats(stats),
    after: stampOfStats(fstatSync(descriptor)),
    startedMs,
    startedDateMs,
  };
}

function knownContent(path: string, read: StampedBytes, options: ReadOptions): KnownContent {
  const { content, after: stamp, startedMs, startedDateMs } = read;
  const { limits, localClock, previous } = options;
  const stampSeenMs =
    previous !== undefined && sameStamp(previous.stamp, stamp) ? previous.stampSeenMs : startedMs;
  // Another machine's clock may be wrong; that its timestamp has aged here is proof by our own.
  const ageMs = localClock ? startedDateMs - stamp.ctimeMs : startedMs - stampSeenMs;
  return {
    file: sourceFile(path, content, stamp, previous?.file),
    stamp,
    stampSeenMs,
    settled: ageMs >= limits.racyWindowMs,
    changes: options.changes,
    checkedEpoch: options.epoch,
  };
}

function sourceFile(
  path: string,
  content: Buffer,
  stamp: PathStamp,
  previous: SourceFile | undefined,
): SourceFile {
  const digest = digestOf(content);
  const mtimeSeconds = Math.floor(stamp.mtimeMs / 1000);
  const sameContent = previous?.digest === digest;
  if (previous !== undefined && sameContent && previous.mtimeSeconds === mtimeSeconds) return previous;
  return {
    path,
    digest,
    sizeBytes: content.length,
    mtimeSeconds,
    scan: previous !== undefined && sameContent ? previous.scan : scanDirectives(content),
  };
}
