/**
 * Which compiler on which node has passed its comparisons, which has not yet, and which is in quarantine. Remembered
 * in the state directory, so that a restart forgives nothing.
 */
import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { messageOf } from '../base/errors.ts';
import type { Standing } from '../scheduler/index.ts';

/** A node as far as its standing depends on it. */
export interface StandingNode {
  readonly nodeId: string;
  readonly nodeName: string;
  /** Of meshcc there: another one is met anew. */
  readonly agentVersion: string;
}

/** Why a compiler on a node is not used. */
export interface Quarantine {
  readonly sinceMs: number;
  /** The unit that it compiled wrongly. */
  readonly unit: string;
  /** Directory with what both sides made; empty if nothing could be kept. */
  readonly evidence: string;
}

/** A compiler on a node in quarantine. */
export interface QuarantinedToolchain extends Quarantine {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly toolchainId: string;
}

interface StandingRecord extends StandingNode {
  readonly toolchainId: string;
  readonly agreed: number;
  readonly inconclusive: number;
  readonly quarantine?: Quarantine;
}

/** Far more than a mesh has; a node that is forgotten is met anew, which costs a few comparisons. */
const MAX_RECORDS = 1_000;

const FORMAT = 1;
const NEW: Standing = { agreed: 0, inconclusive: 0, isQuarantined: false };

export class NodeStandings {
  readonly #path: string;
  readonly #warn: (line: string) => void;
  readonly #records = new LRUCache<string, StandingRecord>({ max: MAX_RECORDS });
  readonly #waiting = new Set<() => void>();
  #saving: Promise<void> | undefined;
  #isStale = false;
  #hasQuarantines = false;

  /**
   * @param path the file in which they are remembered; one that cannot be read counts as none: all are met anew
   * @param warn told in words what cannot be read or written
   */
  constructor(path: string, warn: (line: string) => void) {
    this.#path = path;
    this.#warn = warn;
    for (const record of this.#read()) this.#records.set(keyOf(record.nodeId, record.toolchainId), record);
    this.#hasQuarantines = this.quarantined.length > 0;
  }

  /** True if the compiler of the node is in quarantine. Asked for every job that waits, whenever a node is free. */
  isQuarantined(node: StandingNode, toolchainId: string): boolean {
    return this.#hasQuarantines && this.of(node, toolchainId).isQuarantined;
  }

  /** The standing of a compiler on a node. */
  of(node: StandingNode, toolchainId: string): Standing {
    const record = this.#current(node, toolchainId);
    if (record === undefined) return NEW;
    const { agreed, inconclusive, quarantine } = record;
    return { agreed, inconclusive, isQuarantined: quarantine !== undefined };
  }

  /** Every compiler in quarantine. */
  get quarantined(): QuarantinedToolchain[] {
    return [...this.#records.values()].flatMap(({ nodeId, nodeName, toolchainId, quarantine }) =>
      quarantine === undefined ? [] : [{ nodeId, nodeName, toolchainId, ...quarantine }],
    );
  }

  /** A comparison that it passed. @param enough more are not counted */
  agree(node: StandingNode, toolchainId: string, enough: number): void {
    const { agreed, inconclusive } = this.of(node, toolchainId);
    if (agreed < enough) this.#set(node, toolchainId, { agreed: agreed + 1, inconclusive });
  }

  /** A comparison that proved nothing. */
  proveNothing(node: StandingNode, toolchainId: string): void {
    const { agreed, inconclusive } = this.of(node, toolchainId);
    this.#set(node, toolchainId, { agreed, inconclusive: inconclusive + 1 });
  }

  /** What it passed so far no longer counts. */
  doubt(node: StandingNode, toolchainId: string): void {
    const { inconclusive } = this.of(node, toolchainId);
    this.#set(node, toolchainId, { agreed: 0, inconclusive });
  }

  /** Not to be used any more. */
  quarantine(node: StandingNode, toolchainId: string, quarantine: Quarantine): void {
    this.#set(node, toolchainId, { agreed: 0, inconclusive: 0, quarantine });
  }

  /**
   * Ends the quarantine of a node, which is then met anew.
   * @param name its name, or the beginning of its id
   * @returns what was in quarantine
   */
  release(name: string): QuarantinedToolchain[] {
    const released = this.quarantined.filter(
      ({ nodeId, nodeName }) => nodeName === name || (name.length >= 4 && nodeId.startsWith(name)),
    );
    for (const { nodeId, toolchainId } of released) this.#records.delete(keyOf(nodeId, toolchainId));
    if (released.length > 0) this.#changed();
    return released;
  }

  /** Resolves when a standing changes, or {@link wake} is called, or the signal fires. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Lets everybody who waits for a change look again. */
  wake(): void {
    for (const done of [...this.#waiting]) done();
  }

  /** Resolves when everything is on disk, as far as it can be. */
  async saved(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving;
  }

  #current({ nodeId, agentVersion }: StandingNode, toolchainId: string): StandingRecord | undefined {
    const key = keyOf(nodeId, toolchainId);
    const record = this.#records.get(key);
    if (record === undefined || record.agentVersion === agentVersion) return record;
    this.#records.delete(key);
    this.#changed();
    return undefined;
  }

  #set(
    { nodeId, nodeName, agentVersion }: StandingNode,
    toolchainId: string,
    standing: Pick<StandingRecord, 'agreed' | 'inconclusive' | 'quarantine'>,
  ): void {
    this.#records.set(keyOf(nodeId, toolchainId), {
      nodeId,
      nodeName,
      agentVersion,
      toolchainId,
      ...standing,
    });
    this.#changed();
  }

  #changed(): void {
    this.#hasQuarantines = this.quarantined.length > 0;
    this.wake();
    this.#isStale = true;
    this.#saveSoon();
  }

  #saveSoon(): void {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
      if (this.#isStale) this.#saveSoon();
    });
  }

  async #save(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      const text = JSON.stringify({ format: FORMAT, standings: [...this.#records.values()].reverse() });
      const temporary = `${this.#path}.${process.pid}.tmp`;
      try {
        await writeFile(temporary, `${text}\n`, { mode: 0o600 });
        await rename(temporary, this.#path);
      } catch (error) {
        this.#warn(`cannot remember which nodes are trusted: ${messageOf(error)}`);
        await rm(temporary, { force: true }).catch(() => {});
      }
    }
  }

  #read(): StandingRecord[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return [];
    }
    try {
      const content = JSON.parse(text) as { format?: unknown; standings?: unknown };
      if (content.format !== FORMAT || !Array.isArray(content.standings)) throw new Error('unknown format');
      return content.standings.filter(isRecord);
    } catch (error) {
      this.#warn(`${this.#path} is not used, all nodes are met anew: ${messageOf(error)}`);
      return [];
    }
  }
}

function keyOf(nodeId: string, toolchainId: string): string {
  return `${nodeId} ${toolchainId}`;
}

function isRecord(value: unknown): value is StandingRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { nodeId, nodeName, agentVersion, toolchainId, agreed, inconclusive, quarantine } = value as Partial<
    Record<keyof StandingRecord, unknown>
  >;
  const texts = [nodeId, nodeName, agentVersion, toolchainId];
  if (texts.some((text) => typeof text !== 'string')) return false;
  if (!Number.isInteger(agreed) || !Number.isInteger(inconclusive)) return false;
  return quarantine === undefined || isQuarantine(quarantine);
}

function isQuarantine(value: unknown): value is Quarantine {
  if (typeof value !== 'object' || value === null) return false;
  const { sinceMs, unit, evidence } = value as Partial<Record<keyof Quarantine, unknown>>;
  return typeof sinceMs === 'number' && typeof unit === 'string' && typeof evidence === 'string';
}
