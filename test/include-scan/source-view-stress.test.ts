/** Headers regenerated a moment before they are asked for, under load and while events are lost: never stale. */
import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  stat,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceViewStats } from '../../src/include-scan/source-view.ts';
import { buildHeaderWriter } from './header-writer.ts';
import { CLOCK_TICK_MS, EVENTS_ONLY, ViewFixture } from './view-fixture.ts';
import { answerQuestions, countStale } from './view-questions.ts';

const WRITERS = 4;
const ROUNDS_PER_WRITER = 2_000;

/** Files made at once beside the headers; more than the queue holds events. */
const FLOOD_FILES = 30_000;

/** A longer queue would have to be flooded for too long. */
const MAX_TESTED_QUEUE = 16_384;

const queueEvents = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
const skipFlood = queueEvents > MAX_TESTED_QUEUE && `the event queue holds ${queueEvents}`;

/** Lets writers regenerate one header each; returns stale answers and what the view did. */
async function stress(
  t: TestContext,
  connection: 'new' | 'kept',
  rounds: number,
  beside: (fixture: ViewFixture, done: () => boolean) => Promise<void> = async () => {},
): Promise<{ stale: number; stats: SourceViewStats }> {
  const fixture = ViewFixture.for(t);
  const writer = buildHeaderWriter(fixture.scratch);
  const socketPath = `${fixture.scratch}/socket`;
  const server = await answerQuestions(fixture.view, socketPath);
  t.after(() => server.close());
  const untouched = fixture.write('include/untouched.h', 'text\n');
  await fixture.view.refresh();
  const object = fixture.view.file(untouched);
  let ended = false;
  const runs = Array.from({ length: WRITERS }, (_, index) =>
    countStale(writer, [socketPath, fixture.path(`include/${index}.h`), String(rounds), connection]),
  );
  const all = Promise.all(runs).finally(() => {
    ended = true;
  });
  await Promise.all([all, beside(fixture, () => ended)]);
  assert.equal(fixture.view.file(untouched), object, 'what nobody touched is the same object');
  const stale = (await all).reduce((sum, each) => sum + each, 0);
  return { stale, stats: fixture.view.stats() };
}

for (const connection of ['new', 'kept'] as const) {
  test(`no stale header in ${WRITERS * ROUNDS_PER_WRITER} rounds, connections ${connection}`, async (t) => {
    const { stale, stats } = await stress(t, connection, ROUNDS_PER_WRITER);
    t.diagnostic(JSON.stringify(stats));
    assert.equal(stale, 0);
    assert.equal(stats.refreshes, WRITERS * ROUNDS_PER_WRITER + 1);
    assert.equal(stats.fullExaminations, 0, 'events alone were enough');
    // One read per regeneration; a second one if its last event came after the first.
    assert.ok(stats.filesRead <= 2 * stats.refreshes);
  });
}

/** Causes more events in one turn of the event loop than the kernel keeps: two names in turn, as equal events merge. */
function flood(first: string, second: string): void {
  for (let event = 0; event <= queueEvents; event++) utimesSync(event % 2 === 0 ? first : second, 0, 0);
}

test('no stale header while floods of events overflow the queue', { skip: skipFlood }, async (t) => {
  const { stale, stats } = await stress(t, 'new', 500, async (fixture, isEnded) => {
    const [first, second] = [fixture.write('include/a.o', ''), fixture.write('include/b.o', '')];
    for (let file = 0; file < FLOOD_FILES; file++)
      closeSync(openSync(fixture.path(`include/${file}.o`), 'w'));
    for (let floods = 0; floods < 8 && !isEnded(); floods++) {
      await sleep(20);
      flood(first, second);
    }
  });
  t.diagnostic(JSON.stringify(stats));
  assert.equal(stale, 0);
  assert.ok(stats.lostBarriers + stats.floods > 1, 'nothing overflowed');
});

/** Goes on in the poll phase of the event loop: no event is read any more before the next immediates run. */
function pollPhase(): Promise<void> {
  return new Promise((resolve) => stat('/', () => resolve()));
}

test('a change made in the same turn of the event loop is waited for', async (t) => {
  const fixture = ViewFixture.for(t, EVENTS_ONLY);
  for (let round = 0; round < 100; round++) {
    await pollPhase();
    await fixture.assertFresh(fixture.write('a.h', `${round}\n`));
  }
});

/** A change whose event is lost, and whose file is too old to be read again without a reason. */
const LOST_CHANGES: Readonly<Record<string, (fixture: ViewFixture, header: string) => void>> = {
  'a header is overwritten': (_fixture, header) => writeFileSync(header, 'NEW\n'),
  'its directory is replaced': (fixture, header) => {
    renameSync(fixture.path('include'), fixture.path('away'));
    fixture.write(header.slice(fixture.root.length + 1), 'NEW\n');
  },
  'its directory is removed and made again': (fixture, header) => {
    rmSync(fixture.path('include'), { recursive: true });
    fixture.write(header.slice(fixture.root.length + 1), 'NEW\n');
  },
};

for (const drained of [false, true]) {
  for (const [what, change] of Object.entries(LOST_CHANGES)) {
    const name = `the event is lost when ${what}, and ${drained ? 'the queue is read' : 'asked at once'}`;
    test(name, { skip: skipFlood }, async (t) => {
      const fixture = ViewFixture.for(t, EVENTS_ONLY);
      mkdirSync(fixture.path('busy'));
      const header = fixture.write('include/linux/x.h', 'OLD\n');
      const absent = fixture.path('include/linux/absent.h');
      await fixture.assertFresh(header, absent);
      const [first, second] = [fixture.write('busy/a', ''), fixture.write('busy/b', '')];
      fixture.view.node(fixture.path('busy/asked'));
      await fixture.view.refresh();
      // Beyond the tick of the file system's clock, so that stat can tell what the events cannot.
      await sleep(CLOCK_TICK_MS);
      await pollPhase();
      flood(first, second);
      change(fixture, header);
      writeFileSync(absent.replace('absent', 'unasked'), '');
      if (drained) await sleep(100);
      await fixture.assertFresh(header, absent);
      const { lostBarriers, floods, fullExaminations } = fixture.view.stats();
      assert.deepEqual(
        { lostBarriers, floods, fullExaminations },
        { lostBarriers: drained ? 0 : 1, floods: 1, fullExaminations: 1 },
      );
      // The watches that were set anew work.
      writeFileSync(header, 'AGN\n');
      writeFileSync(absent, 'there\n');
      await fixture.assertFresh(header, absent);
      assert.equal(fixture.view.stats().fullExaminations, 1);
    });
  }
}
