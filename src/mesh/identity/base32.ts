/** Base32 (RFC 4648, section 6) in lower case and without padding: fits DNS labels, and people read it aloud. */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Bytes as base32 text; 5 bytes give 8 characters, a rest is filled with zero bits. */
export function base32Encode(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      text += ALPHABET.charAt((bits >> bitCount) & 31);
    }
    bits &= (1 << bitCount) - 1;
  }
  if (bitCount > 0) text += ALPHABET.charAt((bits << (5 - bitCount)) & 31);
  return text;
}

/** The bytes that base32 text stands for (a rest of fewer than 8 bits is dropped), or undefined at a foreign character. */
export function base32Decode(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    bits = (bits << 5) | value;
    bitCount += 5;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes.push((bits >> bitCount) & 255);
    }
    bits &= (1 << bitCount) - 1;
  }
  return Buffer.from(bytes);
}
