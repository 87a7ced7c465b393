/** Text that another machine sent, made fit for a terminal and a log. */

/**
 * Printable ASCII only, everything else as one space, and no more than so many characters: no escape sequence
 * reaches a terminal, no second line a log.
 */
export function printable(text: string, maxCharacters = 200): string {
  return text
    .slice(0, 4 * maxCharacters)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .slice(0, maxCharacters);
}
