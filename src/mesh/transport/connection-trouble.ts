/** What went wrong with a connection, in words for people: gRPC, TLS and the system each have a language of their own. */

/** How the others put it, and what it means; the first that fits counts. `$1` is the first group. */
const TROUBLES: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/ECONNREFUSED/, 'nothing listens there: is its agent running, and is this its port?'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no way to it from this machine'],
  [/ETIMEDOUT|no answer within/, 'it does not answer: is it on, and does its firewall let this port in?'],
  [/Name resolution failed/, 'its host name is not known here'],
  [/the certificate belongs to DNS:([\w-]+)/, 'another node answers there ($1)'],
  [
    /certificate has expired|certificate is not yet valid/,
    'its certificate is not valid today: compare the clocks',
  ],
  [/self-signed certificate|unable to (?:verify|get)|signature failure/, 'it belongs to another mesh'],
  [/alert bad certificate|alert unknown ca|alert certificate/, 'it takes this node for one of another mesh'],
  [/wrong version number/, 'it speaks without encryption (--insecure), or is no node of a mesh'],
  [/Protocol error|HTTP status code|UNIMPLEMENTED/, 'something other than meshcc answers there'],
  [/Failed to connect|before secure TLS/, 'it ended the connection at once: is it a node of this mesh?'],
  [/ECONNRESET|EPIPE|Connection dropped|read ENOTCONN/, 'the connection broke off'],
  [/[Kk]eepalive|Ping timeout/, 'it did not answer any more'],
  [/CANCELLED|Call cancelled|stream closed|^OK$|^closed$/, 'the connection was ended'],
];

/** What gRPC puts around the words of others. */
const FRAME = /^\d+ [A-Z_]+: |^No connection established\. Last error: |^Error: |\.? Resolution note: ?$/;

/** @param raw an error message or the details of a status */
export function troubleInWords(raw: string): string {
  for (const [pattern, words] of TROUBLES) {
    const match = pattern.exec(raw);
    if (match !== null) return words.replace('$1', match[1] ?? '');
  }
  let text = raw.replace(/\s+/g, ' ').trim();
  for (let before = ''; text !== before; ) {
    before = text;
    text = text.replace(FRAME, '').trim();
  }
  return text;
}
