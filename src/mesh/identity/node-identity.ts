/** Who this node is: a P-256 key made at its first start. The id follows from the key, never from an address. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname as systemHostname } from 'node:os';
import { join } from 'node:path';
import { MeshError, messageOf } from '../../base/errors.ts';
import { loadMembership, type Membership } from './membership.ts';
import { nodeIdOf, nodeNameFrom } from './names.ts';
import { createPrivateFile, makeIdentityDirectory, readPrivateFile } from './private-files.ts';

/** This node: its id, its key, and its mesh if it belongs to one. */
export interface NodeIdentity {
  /** 32 base32 characters, see {@link nodeIdOf}. */
  readonly nodeId: string;
  /** For people: the host name, in an alphabet that every part of the mesh accepts. */
  readonly name: string;
  /** Private key, PKCS#8 PEM. Never leaves this machine. */
  readonly keyPem: string;
  /** Where the files are. */
  readonly directory: string;
  readonly membership?: Membership;
}

const KEY_FILE = 'node-key.pem';

/**
 * Reads the identity of this node, or makes a new one at the first start.
 * @param stateDirectory the agent's state directory; the identity lies in `identity/` below it
 * @param options.hostname what to call this node; the system's host name if left out
 * @throws MeshError MESHCC_IDENTITY if a file is damaged, unreadable or open to other users
 */
export async function openIdentity(
  stateDirectory: string,
  options: { readonly hostname?: string } = {},
): Promise<NodeIdentity> {
  const directory = join(stateDirectory, 'identity');
  makeIdentityDirectory(directory);
  const { keyPem, nodeId } = openKey(directory);
  const membership = loadMembership(directory, keyPem);
  const name = nodeNameFrom(options.hostname ?? systemHostname());
  return { nodeId, name, keyPem, directory, ...(membership === undefined ? {} : { membership }) };
}

function openKey(directory: string): { keyPem: string; nodeId: string } {
  const path = join(directory, KEY_FILE);
  const keyPem = readPrivateFile(path) ?? makeKey(directory, path);
  try {
    const key = createPrivateKey(keyPem);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not a P-256 key');
    return { keyPem, nodeId: nodeIdOf(createPublicKey(keyPem)) };
  } catch (error) {
    throw new MeshError(
      'MESHCC_IDENTITY',
      `cannot use the key of this node in ${path}: ${messageOf(error)}. Restore the file from a backup, or remove the directory ${directory}: the node then starts with a new key and must join the mesh again.`,
      { cause: error },
    );
  }
}

function makeKey(directory: string, path: string): string {
  if (existsSync(join(directory, 'membership.json'))) {
    throw new MeshError(
      'MESHCC_IDENTITY',
      `the key of this node is missing: ${path} does not exist, but ${directory} holds a membership made for it. Restore the key from a backup, or remove the directory: the node then starts with a new key and must join the mesh again.`,
    );
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (createPrivateFile(path, keyPem)) return keyPem;
  // Another process of this user made its key in the same moment; there must be only one.
  return readPrivateFile(path) ?? keyPem;
}
