/**
 * mDNS on one network interface, by bonjour-service; the only file that knows it. Three of its habits are
 * contained here: it hears nothing unless bound to 0.0.0.0, its inner socket's errors end the process if
 * nobody listens, and its browser keeps everything for ever but is silent about repeated answers, so
 * packets are read where they arrive.
 */
import type { EventEmitter } from 'node:events';
import Bonjour from 'bonjour-service';
import { messageOf } from '../../base/errors.ts';
import { SERVICE_NAME } from './service-records.ts';

/** What a link announces. */
export interface Publication {
  /** One DNS label, at most 63 bytes, without dots. */
  readonly instanceName: string;
  /** Name for the address records; unique to the node, or another responder's records would be its own. */
  readonly hostName: string;
  readonly port: number;
  readonly text: Readonly<Record<string, string>>;
}

/** What a link tells. */
export interface LinkEvents {
  /** A response packet, decoded but otherwise as it came. */
  onResponse(packet: unknown, sourceAddress: string): void;
  /** True if a packet from this address came through this link's interface. */
  isOwn(sourceAddress: string): boolean;
  /** The socket does not work; the link is of no more use and must be closed. */
  onFailure(reason: string): void;
}

/** The parts of multicast-dns that are used; bonjour-service keeps it as a private member. */
interface MulticastSocket extends EventEmitter {
  query(name: string, type: string, done: () => void): void;
}
interface Internals {
  readonly server: { readonly mdns: MulticastSocket };
}

/** A stream of queries must not make this node a source of as many answers. */
const MAX_ANSWERS_PER_SECOND = 20;
const MAX_QUESTIONS = 16;
const CLOSE_TIMEOUT_MS = 1000;

/** An open mDNS socket on one interface. */
export class MdnsLink {
  readonly #bonjour: Bonjour;
  readonly #socket: MulticastSocket;
  readonly #events: LinkEvents;
  #published: ReturnType<Bonjour['publish']> | undefined;
  #closed = false;

  /**
   * @param address IPv4 address of the interface
   * @throws Error if the system refuses a socket at once; later failures come through `onFailure`
   */
  constructor(address: string, events: LinkEvents) {
    this.#events = events;
    const fail = (error: unknown) => {
      if (!this.#closed) events.onFailure(messageOf(error));
    };
    // The types know service options only; these go through to the socket.
    const socketOptions: object = { interface: address, bind: '0.0.0.0' };
    // The callback is called for failed sends, which are normal while an interface goes away.
    this.#bonjour = new Bonjour(socketOptions, () => {});
    this.#socket = (this.#bonjour as unknown as Internals).server.mdns;
    this.#socket.on('error', fail);
    this.#socket.on('response', (packet: unknown, source: { address: string }) => {
      if (!this.#closed && events.isOwn(source.address)) events.onResponse(packet, source.address);
    });
    this.#limitAnswers();
  }

  /** Announces a service, or announces it anew with other values. */
  publish(publication: Publication): void {
    if (this.#closed) return;
    try {
      if (this.#published !== undefined) {
        this.#published.stop();
        // A stopped service comes to life again when its first announcement is sent after the stop.
        this.#published.destroyed = true;
      }
      this.#published = this.#bonjour.publish({
        name: publication.instanceName,
        host: publication.hostName,
        type: 'meshcc',
        port: publication.port,
        txt: { ...publication.text },
        // The instance name holds the node id: a conflict is a copy of this node, and probing for one
        // would only delay the announcement and print to the console.
        probe: false,
      });
    } catch (error) {
      // It lists the network interfaces, which some systems forbid.
      this.#events.onFailure(messageOf(error));
    }
  }

  /** Asks who is there. */
  query(): void {
    if (!this.#closed) this.#socket.query(SERVICE_NAME, 'PTR', () => {});
  }

  /** Closes the socket at once, without a word: for an interface that is gone. */
  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#bonjour.destroy();
  }

  /** Says goodbye, then closes the socket. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      try {
        this.#bonjour.unpublishAll(done);
      } catch {
        done();
      }
    });
    this.abandon();
  }

  /** Lets the library answer only what came through this interface, and only so often. */
  #limitAnswers(): void {
    const answerers = this.#socket.listeners('query');
    this.#socket.removeAllListeners('query');
    let windowStartMs = 0;
    let answered = 0;
    this.#socket.on('query', (packet: { questions?: unknown[] }, source: { address: string }) => {
      if (this.#closed || !this.#events.isOwn(source.address)) return;
      if ((packet.questions?.length ?? 0) > MAX_QUESTIONS) return;
      const nowMs = performance.now();
      if (nowMs - windowStartMs >= 1000) {
        windowStartMs = nowMs;
        answered = 0;
      }
      answered += 1;
      if (answered > MAX_ANSWERS_PER_SECOND) return;
      for (const answer of answerers) answer.call(this.#socket, packet, source);
    });
  }
}
