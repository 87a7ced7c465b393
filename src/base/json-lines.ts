/** JSON values in lines, as an agent answers commands that want to know what is being done. */

/** The media type. */
export const JSON_LINES_TYPE = 'application/x-ndjson';

/** Cuts a text that arrives in pieces into the values of its lines. */
export class JsonLines {
  #rest = '';

  /**
   * Takes the next piece and returns the values that it completes.
   * @throws SyntaxError for a line that is not JSON
   */
  push(piece: string): unknown[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  }
}
