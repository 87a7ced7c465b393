/** The agent's log: pino, as plain lines on stderr or as JSON. */
import { Writable } from 'node:stream';
import pino, { type Logger } from 'pino';

export type LogFormat = 'text' | 'json';

const LEVEL_NAMES: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const OMITTED = new Set(['level', 'time', 'msg', 'pid', 'hostname']);

/**
 * A logger.
 * @param level `debug`, `info`, `warn`, `error` or `silent`
 */
export function createLogger(level: string, format: LogFormat): Logger {
  if (format === 'json') return pino({ level }, pino.destination({ fd: 2, sync: true }));
  return pino({ level, base: null }, new PlainLines());
}

/** One line per event: time, level, message, then the fields as `name=value`. */
class PlainLines extends Writable {
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const event = JSON.parse(chunk.toString('utf8')) as Record<string, unknown>;
    const fields = Object.entries(event)
      .filter(([name]) => !OMITTED.has(name))
      .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    const time = new Date(Number(event.time)).toISOString();
    const level = LEVEL_NAMES[Number(event.level)] ?? 'info';
    process.stderr.write(`${time} ${level.padEnd(5)} ${String(event.msg ?? '')}${fields.join('')}\n`);
    done();
  }
}
