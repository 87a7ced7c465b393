/**
 * Proves that the events of all earlier changes were handled: it changes a file of its own and waits for that
 * event, which stands behind them in the same queue. Lost events show as a lost cookie or as a flood.
 */
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryWatch, DirectoryWatches } from './directory-watches.ts';

/** Looks at the event queue that a late timer must grant: a blocked loop runs timers before it reads events. */
const TURNS_BEFORE_LOST = 2;

interface Cookie {
  readonly name: string;
  readonly settle: (delivered: boolean) => void;
}

export class EventBarrier {
  readonly #parent: string;
  readonly #watches: DirectoryWatches;
  readonly #timeoutMs: number;
  #directory: string | undefined;
  #watch: DirectoryWatch | undefined;
  /** The file that is touched; a new one after a loss, so that a late event proves nothing for a later cookie. */
  #file = '';
  #files = 0;
  #awaited: Cookie | undefined;

  /** @param parent a directory of this user on a local file system; one for the cookie is made in it */
  constructor(parent: string, watches: DirectoryWatches, timeoutMs: number) {
    this.#parent = parent;
    this.#watches = watches;
    this.#timeoutMs = timeoutMs;
    // Now: when the kernel has no more watches to give, this one matters most.
    this.#renew();
  }

  /**
   * One passage at a time.
   * @returns true when every event of a change made before the call was handled; false if events were lost
   */
  pass(): Promise<boolean> {
    return new Promise((resolve) => {
      if (!this.#touch(resolve) && !(this.#renew() && this.#touch(resolve))) resolve(false);
    });
  }

  close(): void {
    this.#awaited?.settle(false);
    this.#discard();
  }

  /** Changes the cookie file's times: one system call, one event. */
  #touch(resolve: (delivered: boolean) => void): boolean {
    if (this.#directory === undefined || this.#file === '') return false;
    const timer = setTimeout(() => this.#giveUp(TURNS_BEFORE_LOST, cookie), this.#timeoutMs);
    const cookie: Cookie = {
      name: this.#file,
      settle: (delivered) => {
        clearTimeout(timer);
        this.#awaited = undefined;
        resolve(delivered);
      },
    };
    this.#awaited = cookie;
    try {
      utimesSync(join(this.#directory, cookie.name), 0, 0);
      return true;
    } catch {
      // somebody removed the file: its event will never come
      clearTimeout(timer);
      this.#awaited = undefined;
      return false;
    }
  }

  #giveUp(turns: number, cookie: Cookie): void {
    if (this.#awaited !== cookie) return;
    if (turns > 0) {
      setImmediate(() => this.#giveUp(turns - 1, cookie));
      return;
    }
    this.#renewFile();
    cookie.settle(false);
  }

  /** A new directory, watch and file. */
  #renew(): boolean {
    this.#discard();
    try {
      this.#directory = mkdtempSync(join(this.#parent, 'events-'));
    } catch {
      return false;
    }
    // The file's own making is a `rename`; the only `change` of this name is the cookie's.
    this.#watch = this.#watches.open(this.#directory, (type, name) => {
      if (type === 'change' && this.#awaited?.name === name) this.#awaited?.settle(true);
    });
    return this.#watch !== undefined && this.#renewFile();
  }

  #renewFile(): boolean {
    if (this.#directory === undefined) return false;
    const old = this.#file;
    this.#file = '';
    try {
      if (old !== '') unlinkSync(join(this.#directory, old));
      const name = `cookie-${++this.#files}`;
      closeSync(openSync(join(this.#directory, name), 'wx'));
      this.#file = name;
      return true;
    } catch {
      return false;
    }
  }

  #discard(): void {
    if (this.#watch !== undefined) this.#watches.retire(this.#watch);
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
    this.#watch = undefined;
    this.#directory = undefined;
    this.#file = '';
  }
}
