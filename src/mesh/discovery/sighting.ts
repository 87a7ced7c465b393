/** A node as discovery sees it: a hint where somebody who claims this id may be reached. No trust follows from it. */

/** One look at a node. */
export interface Sighting {
  readonly nodeId: string;
  readonly name: string;
  readonly version: string;
  /** Absent while the node belongs to no mesh. */
  readonly meshId?: string;
  readonly insecure: boolean;
  readonly port: number;
  /** Absent unless the node has an open invitation. */
  readonly pairingPort?: number;
  /** Where to try, best first: the packet's source, its other recent sources, then what it says of itself. */
  readonly addresses: readonly string[];
  /** The local interface that the packet came through. */
  readonly interfaceName: string;
  readonly seenAtMs: number;
}
