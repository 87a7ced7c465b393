/**
 * Nodes that are not connected and may be in a moment: those that were connected until just now, and those that were
 * sighted for the first time. A job is better off waiting for one of them than compiled here, but not for long.
 */

/** A node that may connect. */
export interface ExpectedNode {
  readonly nodeId: string;
  /** For people. */
  readonly name: string;
  /** What it offered when it was connected; undefined if that is not known yet. */
  readonly toolchainIds: ReadonlySet<string> | undefined;
}

export class ExpectedNodes {
  readonly #graceMs: number;
  readonly #onGivenUp: () => void;
  readonly #nodes = new Map<string, { readonly node: ExpectedNode; readonly timer: NodeJS.Timeout }>();

  /**
   * @param graceMs how long a node is waited for
   * @param onGivenUp called when a node did not come in time
   */
  constructor(graceMs: number, onGivenUp: () => void) {
    this.#graceMs = graceMs;
    this.#onGivenUp = onGivenUp;
  }

  /** From now on, for the time of grace, jobs may wait for this node. */
  expect(node: ExpectedNode): void {
    this.forget(node.nodeId);
    const timer = setTimeout(() => {
      this.#nodes.delete(node.nodeId);
      this.#onGivenUp();
    }, this.#graceMs);
    timer.unref();
    this.#nodes.set(node.nodeId, { node, timer });
  }

  /** It has come, or will not. @returns false if it was not expected */
  forget(nodeId: string): boolean {
    const expected = this.#nodes.get(nodeId);
    if (expected === undefined) return false;
    clearTimeout(expected.timer);
    return this.#nodes.delete(nodeId);
  }

  /** A node that may take a job with this toolchain as soon as it is connected. */
  find(toolchainId: string, excluded: ReadonlySet<string>): ExpectedNode | undefined {
    for (const { node } of this.#nodes.values()) {
      const offers = node.toolchainIds?.has(toolchainId) ?? true;
      if (offers && !excluded.has(node.nodeId)) return node;
    }
    return undefined;
  }
}
