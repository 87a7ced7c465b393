/** A temporary tree and a view of it. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import type { FreshnessLimits } from '../../src/include-scan/freshness-limits.ts';
import { WatchedSourceView } from '../../src/include-scan/source-view.ts';
import { type SourceFile, StillReading } from '../../src/include-scan/source-view-port.ts';

/** Only events count: no file is read again because it is young, nothing is checked now and then. */
export const EVENTS_ONLY: Partial<FreshnessLimits> = {
  racyWindowMs: 0,
  auditIntervalMs: 1e9,
  mountCheckIntervalMs: 1e9,
};

/** Changes this far apart differ in their timestamps: local file systems tick every 10 ms or more often. */
export const CLOCK_TICK_MS = 30;

export class ViewFixture {
  readonly root: string;
  readonly view: WatchedSourceView;
  /** Where the barrier keeps its cookie. */
  readonly scratch: string;

  /** @param base a directory on the file system to test */
  constructor(limits: Partial<FreshnessLimits> = EVENTS_ONLY, base = tmpdir()) {
    this.root = mkdtempSync(join(realpathSync(base), 'view-'));
    this.scratch = mkdtempSync(join(realpathSync(tmpdir()), 'view-scratch-'));
    this.view = new WatchedSourceView({ scratchDirectory: this.scratch, limits });
  }

  /** A fixture that is gone when the test ends. */
  static for(test: TestContext, limits?: Partial<FreshnessLimits>, base?: string): ViewFixture {
    const fixture = new ViewFixture(limits, base);
    test.after(() => fixture.close());
    return fixture;
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** Writes a file, directories included, and returns its path. */
  write(relative: string, text: string): string {
    const path = this.path(relative);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  setTimes(path: string, seconds: number): void {
    utimesSync(path, seconds, seconds);
  }

  /** Refreshes, and fails unless the view has each of these files as it is on disk now, or none where there is none. */
  async assertFresh(...paths: readonly string[]): Promise<void> {
    await this.view.refresh();
    for (const path of paths) assert.equal((await this.read(path))?.digest, diskDigest(path), path);
  }

  /** What the view knows of a file, when it has been read if it is a large one. */
  async read(path: string): Promise<SourceFile | undefined> {
    for (;;) {
      try {
        return this.view.file(path);
      } catch (error) {
        if (!(error instanceof StillReading)) throw error;
        await error.arrived;
      }
    }
  }

  close(): void {
    this.view.close();
    rmSync(this.root, { recursive: true, force: true });
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

function diskDigest(path: string): string | undefined {
  try {
    return digestOf(readFileSync(path));
  } catch {
    return undefined;
  }
}
