/**
 * The one-time code that people carry from `meshcc invite` to `meshcc join`, such as
 * `mc1-abcd-efgh-...` (nine groups). It holds the start of the CA's fingerprint, so that the joiner knows
 * whom it talks to before it says the secret; the secret; and check characters against typing errors.
 */
import { createHash } from 'node:crypto';
import { MeshError } from '../../base/errors.ts';
import { base32Decode, base32Encode, meshIdOfFingerprint } from '../identity/index.ts';

/** What a code holds. */
export interface InvitationCode {
  /** The first 10 bytes of the SHA-256 of the CA's public key. */
  readonly caFingerprint: Buffer;
  /** 10 random bytes. */
  readonly secret: Buffer;
  /** The mesh that the fingerprint belongs to. */
  readonly meshId: string;
}

export const CA_FINGERPRINT_BYTES = 10;
export const SECRET_BYTES = 10;

const VERSION = 'mc1';
const PAYLOAD_CHARACTERS = 32;
const CHECK_CHARACTERS = 4;
const GROUP_CHARACTERS = 4;

/** Digits that are not in the alphabet, and the letters that they are mistaken for. */
const LOOKALIKES: Readonly<Record<string, string>> = { '0': 'o', '1': 'l', '8': 'b' };

/** The code for a CA fingerprint (its first 10 bytes are used) and a secret of 10 bytes. */
export function formatInvitationCode(caFingerprint: Uint8Array, secret: Uint8Array): string {
  const payload = base32Encode(Buffer.concat([caFingerprint.subarray(0, CA_FINGERPRINT_BYTES), secret]));
  const text = payload + checkCharacters(payload);
  const groups: string[] = [VERSION];
  for (let at = 0; at < text.length; at += GROUP_CHARACTERS)
    groups.push(text.slice(at, at + GROUP_CHARACTERS));
  return groups.join('-');
}

/**
 * Reads a code as a person typed it: case, dashes and spaces do not matter.
 * @throws MeshError MESHCC_PAIRING saying whether it is no code, too short or long, or mistyped
 */
export function parseInvitationCode(typed: string): InvitationCode {
  const text = typed.toLowerCase().replace(/[\s-]+/g, '');
  if (!text.startsWith(VERSION)) {
    throw refusal(`it does not begin with \`${VERSION}-\``);
  }
  const body = text.slice(VERSION.length).replace(/[018]/g, (digit) => LOOKALIKES[digit] ?? digit);
  const expected = PAYLOAD_CHARACTERS + CHECK_CHARACTERS;
  if (body.length !== expected) {
    throw refusal(`it has ${body.length} characters after \`${VERSION}\`, not ${expected}`);
  }
  const payload = body.slice(0, PAYLOAD_CHARACTERS);
  const bytes = base32Decode(payload);
  if (bytes === undefined || checkCharacters(payload) !== body.slice(PAYLOAD_CHARACTERS)) {
    throw refusal('at least one character is mistyped');
  }
  const caFingerprint = bytes.subarray(0, CA_FINGERPRINT_BYTES);
  const secret = bytes.subarray(CA_FINGERPRINT_BYTES);
  return { caFingerprint, secret, meshId: meshIdOfFingerprint(caFingerprint) };
}

function refusal(what: string): MeshError {
  return new MeshError(
    'MESHCC_PAIRING',
    `cannot use this invitation code: ${what}. Type it again as \`meshcc invite\` printed it (${VERSION}- and nine groups of four).`,
  );
}

/** 20 bits: a mistyped code passes once in a million. */
function checkCharacters(payload: string): string {
  return base32Encode(createHash('sha256').update(`${VERSION}${payload}`).digest()).slice(
    0,
    CHECK_CHARACTERS,
  );
}
