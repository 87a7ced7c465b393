/** Asks the agent of this user, over its control socket. */
import { type RequestOptions, request } from 'node:http';
import { errnoOf, MESH_ERROR_CODES, MeshError, type MeshErrorCode } from '../base/errors.ts';
import { JSON_LINES_TYPE, JsonLines } from '../base/json-lines.ts';

const ENDED = 'the agent ended before it had answered. Start it again: meshcc agent';

interface Failure {
  readonly error: string;
  readonly code?: string | undefined;
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
  let text = '';
  const status = await exchange({ socketPath, method, path }, body, (piece) => {
    text += piece;
  });
  if (text === '') throw errorOf({ error: ENDED, code: 'MESHCC_AGENT_UNREACHABLE' });
  const value: unknown = JSON.parse(text);
  if (status === 200) return value as Answer;
  throw errorOf(value as Failure);
}

/**
 * Sends a question that takes its time, and returns the answer. An end of this process ends the agent's work on it.
 * @param onProgress told in sentences what the agent does
 * @throws MeshError as {@link askAgent} does
 */
export async function followAgent<Answer>(
  socketPath: string,
  path: string,
  body: object,
  onProgress: (sentence: string) => void,
): Promise<Answer> {
  const lines = new JsonLines();
  let last: { answer?: Answer } & Partial<Failure> = {};
  const options = { socketPath, method: 'POST', path, headers: { accept: JSON_LINES_TYPE } };
  await exchange(options, body, (piece) => {
    for (const line of lines.push(piece) as ({ progress?: string } & typeof last)[]) {
      if (line.progress !== undefined) onProgress(line.progress);
      else last = line;
    }
  });
  if (last.answer !== undefined) return last.answer;
  throw errorOf(
    last.error === undefined ? { error: ENDED, code: 'MESHCC_AGENT_UNREACHABLE' } : (last as Failure),
  );
}

function errorOf({ error, code }: Failure): MeshError {
  return new MeshError(isErrorCode(code) ? code : 'MESHCC_PROTOCOL', error);
}

function isErrorCode(code: string | undefined): code is MeshErrorCode {
  return code !== undefined && code in MESH_ERROR_CODES;
}

/** @returns the status, when the whole answer has been passed on */
function exchange(
  options: RequestOptions & { socketPath: string },
  body: object | undefined,
  onPiece: (piece: string) => void,
): Promise<number> {
  const headers = { ...options.headers, connection: 'close' };
  return new Promise<number>((resolve, reject) => {
    const outgoing = request({ ...options, headers }, (response) => {
      response.setEncoding('utf8');
      response.on('data', onPiece);
      response.on('error', reject);
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  }).catch((error) => {
    const errno = errnoOf(error);
    throw new MeshError(
      'MESHCC_AGENT_UNREACHABLE',
      `no agent answers on ${options.socketPath} (${errno ?? String(error)}). Start one: meshcc agent`,
      { cause: error },
    );
  });
}
