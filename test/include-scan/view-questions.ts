/** A socket at which writers ask whether the view has what they just wrote. */
import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { digestOf } from '../../src/base/digest.ts';
import type { WatchedSourceView } from '../../src/include-scan/source-view.ts';
import { contentOfRound } from './header-writer.ts';

/** Answers each line "path round" with `y` if the view has that round's content, else `n`. */
export async function answerQuestions(view: WatchedSourceView, socketPath: string): Promise<Server> {
  const answer = async (socket: Socket, question: string): Promise<void> => {
    const [path = '', round = ''] = question.split(' ');
    await view.refresh();
    const isFresh = view.file(path)?.digest === digestOf(contentOfRound(Number(round)));
    socket.write(isFresh ? 'y' : 'n');
  };
  const server = createServer((socket) => {
    let pending = '';
    socket.on('data', (data) => {
      const lines = (pending + data.toString('latin1')).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) void answer(socket, line);
    });
    // A writer that was stopped resets its connection.
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return server;
}

/** Runs a writer to its end and returns how many rounds were answered stale. */
export function countStale(
  writer: string,
  args: readonly [socket: string, header: string, rounds: string, connection: 'new' | 'kept'],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(writer, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (data) => {
      printed += String(data);
    });
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(Number(printed));
      else reject(new Error(`the writer ended with ${status}`));
    });
  });
}
