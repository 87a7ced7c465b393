/**
 * Most arguments of a build are those of the unit before. Each side of a stream keeps them under numbers, so that a
 * job carries a byte for such an argument, and is not made of a hundred objects.
 */
import type { WireArgument } from './messages.ts';

/** Arguments that a stream keeps, at most. */
export const MAX_KNOWN_ARGUMENTS = 16_384;

/** Text of all arguments that a stream keeps, in UTF-16 units. */
const MAX_KNOWN_TEXT = 4 * 1024 * 1024;

/** A longer argument is hardly one that all units share. */
const MAX_SHARED_TEXT = 512;

/** A list of arguments as it travels. */
export interface EncodedArguments {
  /** To be announced before the job: they get the next numbers. */
  readonly news: readonly WireArgument[];
  /** One LEB128 number for each argument in order; 0: the next of `own`. */
  readonly numbers: Buffer;
  readonly own: readonly WireArgument[];
}

/** The submitter's side. */
export class ArgumentEncoder {
  /** By identity: the parser gives the same object for the same argument. */
  readonly #numbers = new Map<WireArgument, number>();
  #seenOnce = new WeakSet<WireArgument>();
  #text = 0;

  /** An argument is announced when a second job has it. */
  encode(args: readonly WireArgument[]): EncodedArguments {
    const news: WireArgument[] = [];
    const own: WireArgument[] = [];
    const numbers = Buffer.allocUnsafe(3 * args.length);
    let length = 0;
    for (const arg of args) {
      let number = this.#numbers.get(arg) ?? this.#learn(arg, news);
      if (number === 0) own.push(arg);
      while (number >= 0x80) {
        numbers[length++] = (number & 0x7f) | 0x80;
        number >>>= 7;
      }
      numbers[length++] = number;
    }
    return { news, numbers: numbers.subarray(0, length), own };
  }

  /** @returns its number from now on; 0 if it has none */
  #learn(arg: WireArgument, news: WireArgument[]): number {
    if (!this.#seenOnce.has(arg)) {
      this.#seenOnce.add(arg);
      return 0;
    }
    const text = textOf(arg);
    if (text > MAX_SHARED_TEXT || this.#text + text > MAX_KNOWN_TEXT) return 0;
    if (this.#numbers.size >= MAX_KNOWN_ARGUMENTS) return 0;
    this.#text += text;
    news.push(arg);
    const number = this.#numbers.size + 1;
    this.#numbers.set(arg, number);
    return number;
  }
}

/** The worker's side. */
export class ArgumentDecoder {
  readonly #known: WireArgument[] = [];
  #text = 0;

  /** Takes announced arguments. @returns false if they are more than a stream keeps */
  learn(news: readonly WireArgument[]): boolean {
    for (const arg of news) {
      this.#text += textOf(arg);
      if (this.#known.push(arg) > MAX_KNOWN_ARGUMENTS || this.#text > MAX_KNOWN_TEXT) return false;
    }
    return true;
  }

  /** The arguments of a job; undefined if the numbers do not stand for any. */
  decode(numbers: Uint8Array, own: readonly WireArgument[]): WireArgument[] | undefined {
    const args: WireArgument[] = [];
    let ownUsed = 0;
    let value = 0;
    let shift = 0;
    for (const byte of numbers) {
      value |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte & 0x80) {
        if (shift > 14) return undefined;
        continue;
      }
      const arg = value === 0 ? own[ownUsed++] : this.#known[value - 1];
      if (arg === undefined) return undefined;
      args.push(arg);
      value = 0;
      shift = 0;
    }
    return shift === 0 && ownUsed === own.length ? args : undefined;
  }
}

/** Length of an argument's text, a little more for what it takes besides. */
function textOf({ name, value, list }: WireArgument): number {
  let text = 32 + name.length + value.length;
  for (const piece of list) text += textOf(piece);
  return text;
}
