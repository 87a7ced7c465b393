/**
 * The search for the inviter of a code: says what is being done, and ends as soon as it is known to be in vain. That
 * a code has been used or has expired shows in its mesh being in sight without an open invitation.
 */
import { errnoOf, MeshError, messageOf } from '../../base/errors.ts';
import { formatHostPort } from '../../base/host-port.ts';
import { addressesToTry, type PairingAddress, type PairingAddresses } from './pairing-addresses.ts';

/** How long a search may take, and how soon it gives up; in milliseconds. */
export interface SearchLimits {
  readonly totalMs: number;
  /** Nodes of the mesh are in sight: an invitation that was opened a moment ago is announced within this. */
  readonly closedMs: number;
  /** With nothing in sight, what may be wrong is said after this. */
  readonly hintMs: number;
}

export const SEARCH_LIMITS: SearchLimits = { totalMs: 60_000, closedMs: 5_000, hintMs: 5_000 };

/** A refusal by the right mesh: no other address can do better. */
export class FinalRefusal extends Error {}

export interface SearchOptions<Answer> {
  readonly meshId: string;
  readonly addresses: PairingAddresses;
  readonly limits: SearchLimits;
  /** Ends the search. */
  readonly signal: AbortSignal | undefined;
  /** Told in sentences what is being done. */
  readonly onProgress: (sentence: string) => void;
  /** Asks one address. @throws FinalRefusal if the search is over, anything else if the next one is to be asked */
  readonly ask: (address: PairingAddress) => Promise<Answer>;
}

/**
 * Asks addresses until one of them answers.
 * @throws MeshError MESHCC_PAIRING saying what was met instead, and what to do
 */
export async function findInviter<Answer>(options: SearchOptions<Answer>): Promise<Answer> {
  const search = new Search(options);
  try {
    return await search.run();
  } finally {
    search.end();
  }
}

class Search<Answer> {
  readonly #options: SearchOptions<Answer>;
  readonly #abort = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #failures: string[] = [];
  readonly #uninviting = new Set<string>();
  #isClosed = false;

  constructor(options: SearchOptions<Answer>) {
    this.#options = options;
    options.signal?.addEventListener('abort', this.#onAbort);
    if (options.signal?.aborted) this.#onAbort();
  }

  readonly #onAbort = (): void => this.#abort.abort();

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  async run(): Promise<Answer> {
    const { meshId, addresses, limits, ask, onProgress } = this.#options;
    if (Symbol.asyncIterator in addresses) this.#beginWatch(limits);
    const toTry = addressesToTry(addresses, meshId, this.#abort.signal, (name) => this.#sawUninviting(name));
    for await (const address of toTry) {
      const where = formatHostPort(address.host, address.port);
      onProgress(`asking ${where}`);
      try {
        return await ask(address);
      } catch (error) {
        if (error instanceof FinalRefusal) throw new MeshError('MESHCC_PAIRING', error.message);
        const failure = `${where}: ${troubleOf(error)}`;
        this.#failures.push(failure);
        onProgress(failure);
        // Its announcement is older than the end of its invitation.
        if (address.announcedBy !== undefined && errnoOf(error) === 'ECONNREFUSED')
          this.#sawUninviting(address.announcedBy);
      }
    }
    throw this.#inVain();
  }

  #beginWatch({ totalMs, hintMs }: SearchLimits): void {
    const { meshId, onProgress } = this.#options;
    onProgress(`looking for a node of mesh ${meshId} with an open invitation`);
    this.#after(totalMs, () => this.#abort.abort());
    this.#after(hintMs, () => {
      if (this.#uninviting.size > 0 || this.#failures.length > 0) return;
      onProgress(
        `no node of that mesh is in sight yet; still looking, for ${Math.round(totalMs / 1000)} s in all. If multicast does not reach it, name it: --at HOST:PORT`,
      );
    });
  }

  #sawUninviting(name: string): void {
    if (this.#uninviting.has(name)) return;
    if (this.#uninviting.size === 0)
      this.#after(this.#options.limits.closedMs, () => {
        this.#isClosed = true;
        this.#abort.abort();
      });
    this.#uninviting.add(name);
    this.#options.onProgress(`${name} is a node of that mesh, and has no open invitation`);
  }

  #after(delayMs: number, callback: () => void): void {
    this.#timers.push(setTimeout(callback, delayMs));
  }

  #inVain(): MeshError {
    const { meshId, signal } = this.#options;
    const because = (text: string): MeshError =>
      new MeshError('MESHCC_PAIRING', `cannot join mesh ${meshId}: ${text}`);
    if (signal?.aborted) return because('interrupted');
    const tried = this.#failures.join('; ');
    if (this.#isClosed) {
      const names = [...this.#uninviting].slice(0, 3).join(', ');
      return because(
        `it is in sight (${names}), and none of its nodes has an open invitation${tried && ` (${tried})`}. The code has been used or has expired, or a newer one replaced it; ask for another with \`meshcc invite\`.`,
      );
    }
    if (tried === '')
      return because(
        'no node with an open invitation was sighted. Check that `meshcc invite` is still open on a node of the same network, or name its address: --at HOST:PORT.',
      );
    return because(
      `no inviter could be reached (${tried}). Check that \`meshcc invite\` is still open there, and that the address is the one that it printed.`,
    );
  }
}

/** In the words of somebody who looks for an invitation. */
function troubleOf(error: unknown): string {
  switch (errnoOf(error)) {
    case 'ECONNREFUSED':
      return 'no invitation is open there';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to it from this machine';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host name is not known here';
    default:
      return messageOf(error);
  }
}
