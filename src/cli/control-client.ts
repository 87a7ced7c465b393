/** Asks the agent of this user, over its control socket. */
import { request } from 'node:http';
import { errnoOf, MESH_ERROR_CODES, MeshError, type MeshErrorCode } from '../base/errors.ts';

interface Failure {
  readonly error: string;
  readonly code?: string;
}

/**
 * Sends one question and returns the answer.
 * @param path with query, e.g. `/v1/status`
 * @throws MeshError MESHCC_AGENT_UNREACHABLE if no agent answers, or the agent's own error
 */
export async function askAgent<Answer>(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Answer> {
  const { status, text } = await exchange(socketPath, method, path, body).catch((error) => {
    const errno = errnoOf(error);
    throw new MeshError(
      'MESHCC_AGENT_UNREACHABLE',
      `no agent answers on ${socketPath} (${errno ?? String(error)}). Start one: meshcc agent`,
      { cause: error },
    );
  });
  const value: unknown = JSON.parse(text);
  if (status === 200) return value as Answer;
  const { error, code } = value as Failure;
  throw new MeshError(isErrorCode(code) ? code : 'MESHCC_PROTOCOL', error);
}

function isErrorCode(code: string | undefined): code is MeshErrorCode {
  return code !== undefined && code in MESH_ERROR_CODES;
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: object | undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers: { connection: 'close' } }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
