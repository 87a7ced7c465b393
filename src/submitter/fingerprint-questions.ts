/** Asks one worker what its compilers do; its answers are bounded and cleaned like everything that a node says. */
import { digestFromBytes } from '../base/digest.ts';
import { printable } from '../base/printable.ts';
import type { FromSubmitter, WireFingerprint } from '../mesh/index.ts';
import type { Fingerprint } from '../toolchain/index.ts';

/** A compiler for many languages and a long list of option sets has about five hundred. */
const MAX_PARTS = 4_096;
const MAX_NAME = 160;

/** What a worker answered. */
export type FingerprintReply = Fingerprint | { readonly refusal: string };

export class FingerprintQuestions {
  readonly #send: (message: FromSubmitter) => void;
  readonly #open = new Map<
    string,
    { reply: Promise<FingerprintReply>; settle: (r: FingerprintReply) => void }
  >();

  constructor(send: (message: FromSubmitter) => void) {
    this.#send = send;
  }

  /** Never rejects: a lost connection is a refusal. */
  ask(toolchainId: string): Promise<FingerprintReply> {
    const open = this.#open.get(toolchainId);
    if (open !== undefined) return open.reply;
    let settle: (reply: FingerprintReply) => void = () => {};
    const reply = new Promise<FingerprintReply>((resolve) => {
      settle = resolve;
    });
    this.#open.set(toolchainId, { reply, settle });
    this.#send({ fingerprintQuestion: { toolchainId } });
    return reply;
  }

  /** An answer has come; one that nobody asked for is dropped. */
  receive(answer: WireFingerprint): void {
    this.#settle(answer.toolchainId, replyOf(answer));
  }

  /** The connection is gone. */
  lose(why: string): void {
    for (const toolchainId of [...this.#open.keys()]) this.#settle(toolchainId, { refusal: why });
  }

  #settle(toolchainId: string, reply: FingerprintReply): void {
    const open = this.#open.get(toolchainId);
    this.#open.delete(toolchainId);
    open?.settle(reply);
  }
}

function replyOf({ refusal, parts }: WireFingerprint): FingerprintReply {
  if (refusal !== '') return { refusal: printable(refusal) };
  if (parts.length === 0 || parts.length > MAX_PARTS) return { refusal: 'its answer cannot be read' };
  const read = parts.flatMap(({ name, sha256 }) => {
    const digest = digestFromBytes(sha256);
    return digest === undefined ? [] : [{ name: printable(name, MAX_NAME), digest }];
  });
  return read.length === parts.length ? { parts: read } : { refusal: 'its answer cannot be read' };
}
