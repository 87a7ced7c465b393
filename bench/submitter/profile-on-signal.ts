/**
 * Loaded into an agent with `node --import`: SIGUSR2 starts the CPU profiler, the next SIGUSR2 stops it and writes
 * the profile to BENCH_PROFILE_FILE. Until the first signal it costs nothing.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const SAMPLING_INTERVAL_US = 500;
let session: Session | undefined;

async function start(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
  await session.post('Profiler.start');
}

async function stop(running: Session, file: string): Promise<void> {
  session = undefined;
  const { profile } = await running.post('Profiler.stop');
  running.disconnect();
  writeFileSync(`${file}.tmp`, JSON.stringify(profile));
  renameSync(`${file}.tmp`, file);
}

const file = process.env.BENCH_PROFILE_FILE;
// Only the agent itself: programs in Node that it starts inherit the option.
if (file !== undefined && process.argv.includes('agent')) {
  process.on('SIGUSR2', () => void (session ? stop(session, file) : start()));
}
