/** Reads one source: bytes that belong together, their digest, and what their text asks for. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type Digest, digestOf } from '../base/digest.ts';
import { type FileScan, scanDirectives } from './directive-scan.ts';
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

/** A file that is too large to be read in between, as it was seen. */
export interface LargeSource {
  readonly isLarge: true;
  readonly stamp: PathStamp;
  readonly clocks: Clocks;
}

/** Clocks when reading began. */
interface Clocks {
  readonly startedMs: number;
  readonly startedDateMs: number;
}

/** What was read of a file, and what it was before and after that. */
export interface ReadContent {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly stamp: PathStamp;
  /** Undefined if the content is the one that was known before. */
  readonly scan: FileScan | undefined;
}

/**
 * Reads a regular file, unless it is a large one; undefined if there is none, it is unreadable, too large, or never
 * still.
 */
export function readSource(path: string, options: ReadOptions): KnownContent | LargeSource | undefined {
  const clocks = { startedMs: performance.now(), startedDateMs: Date.now() };
  const read = withFile(path, (descriptor) => {
    const { limits, previous } = options;
    const stats = fstatSync(descriptor);
    if (stats.isFile() && stats.size > limits.largeFileBytes)
      return { isLarge: true, stamp: stampOfStats(stats), clocks } as const;
    return readStill(descriptor, limits, previous?.file.digest, stats);
  });
  return read === undefined || 'isLarge' in read ? read : knownContent(path, read, clocks, options);
}

/** Reads a file of any allowed size, however long it takes. */
export function readWhole(
  path: string,
  limits: FreshnessLimits,
  knownDigest: Digest | undefined,
): ReadContent | undefined {
  return withFile(path, (descriptor) => readStill(descriptor, limits, knownDigest, fstatSync(descriptor)));
}

function withFile<T>(path: string, use: (descriptor: number) => T): T | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, OPEN_FLAGS);
  } catch {
    return undefined;
  }
  try {
    return use(descriptor);
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Reads until the file stays the same meanwhile. @param first what stat says of it now */
function readStill(
  descriptor: number,
  limits: FreshnessLimits,
  knownDigest: Digest | undefined,
  first: Stats,
): ReadContent | undefined {
  let stats = first;
  for (let reads = 0; reads < limits.maxReads; reads++) {
    if (!stats.isFile() || stats.size > limits.maxFileBytes) return undefined;
    const isSmall = stats.size < SCRATCH_BYTES;
    const content = readInto(isSmall ? scratch : Buffer.allocUnsafeSlow(stats.size), descriptor);
    const before = stampOfStats(stats);
    stats = fstatSync(descriptor);
    const stamp = stampOfStats(stats);
    if (!sameStamp(before, stamp)) continue;
    const digest = digestOf(content);
    const scan = digest === knownDigest ? undefined : scanDirectives(content);
    return { digest, sizeBytes: content.length, stamp, scan };
  }
  return undefined;
}

/** Where small files are read, one after the other: nothing of their bytes is kept. */
const SCRATCH_BYTES = 128 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Reads from the start to the end, which may have moved since the size was asked: then the stamps differ. */
function readInto(buffer: Buffer, descriptor: number): Buffer {
  let length = 0;
  for (;;) {
    const bytesRead = readSync(descriptor, buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}

/** What was read, with what makes it trustworthy. The same content as before gives the same object. */
export function knownContent(
  path: string,
  read: ReadContent,
  { startedMs, startedDateMs }: Clocks,
  { limits, localClock, changes, epoch, previous }: ReadOptions,
): KnownContent {
  const { stamp } = read;
  const stampSeenMs =
    previous !== undefined && sameStamp(previous.stamp, stamp) ? previous.stampSeenMs : startedMs;
  // Another machine's clock may be wrong; that its timestamp has aged here is proof by our own.
  const ageMs = localClock ? startedDateMs - stamp.ctimeMs : startedMs - stampSeenMs;
  return {
    file: sourceFile(path, read, previous?.file),
    stamp,
    stampSeenMs,
    settled: ageMs >= limits.racyWindowMs,
    changes,
    checkedEpoch: epoch,
  };
}

function sourceFile(
  path: string,
  { digest, sizeBytes, stamp, scan }: ReadContent,
  previous: SourceFile | undefined,
): SourceFile {
  const mtimeSeconds = Math.floor(stamp.mtimeMs / 1000);
  const known = scan === undefined ? previous : undefined;
  if (known !== undefined && known.mtimeSeconds === mtimeSeconds) return known;
  const found = scan ?? known?.scan;
  if (found === undefined) throw new Error(`${path} was not scanned`);
  return { path, digest, sizeBytes, mtimeSeconds, scan: found };
}
