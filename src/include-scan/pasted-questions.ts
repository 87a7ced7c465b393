/**
 * `__has_include` and `__has_embed` that are put together by pasting, as in `CAT(__has_, include)(<x.h>)`: no text
 * shows such a question, but its halves stand somewhere as words of their own. Halves of which ordinary code is full
 * (`_`, `__`, `next`) are not looked for; each of these names has another half that is.
 */

/** What a file's text holds of such a name. */
export interface PastedHalves {
  /** A half that is nothing else. */
  readonly sure: boolean;
  /** A beginning that other names have too, such as `__has_` of libstdc++. */
  readonly start: boolean;
  /** An ending that is also an ordinary word, where it could be pasted: `include`, `embed`. */
  readonly end: boolean;
}

const NONE: PastedHalves = { sure: false, start: false, end: false };

/** `__has_i` to `__has_includ`, and all that can stand behind `_` or `__`. */
const SURE =
  /\b(?:__has_(?:i(?:n(?:c(?:l(?:u(?:d)?)?)?)?)?|e(?:m(?:b(?:e)?)?)?)|(?:_?has|as?|s)?_(?:include|embed)(?:_next|__)?|has_(?:include|embed)(?:_next|__)?)\b/;
const START = /\b__ha?s?_?(?!\w)/;
/** As an argument of its own, or the beginning of one; or beside the operator itself. */
const END =
  /[(,]\s*(?:include|embed)(?:_next|__)?\s*[(),]|(?:##|%:%:)\s*(?:include|embed)(?:_next|__)?\b|\b(?:include|embed)\s*(?:##|%:%:)/;

/** Passes by nearly every text, comments included. */
const SIGN =
  /\b__ha?s?_?(?!\w)|\b__has_[ie]|(?:\b|s)_(?:include|embed)|[(,]\s*(?:include|embed)(?:_next|__)?\s*[(),]|(?:##|%:%:)\s*(?:include|embed)|\b(?:include|embed)\s*(?:##|%:%:)/;

/**
 * The halves in a text.
 * @param text with its lines joined
 * @param withoutComments gives the same text without comments
 */
export function pastedHalvesIn(text: string, withoutComments: (text: string) => string): PastedHalves {
  if (!SIGN.test(text)) return NONE;
  const code = withoutComments(text);
  return { sure: SURE.test(code), start: START.test(code), end: END.test(code) };
}
