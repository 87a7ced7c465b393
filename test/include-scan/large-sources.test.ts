/** Large sources are read beside the event loop, and what is known of them is as right as what is known of others. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { classify } from '../../src/compiler/index.ts';
import { CompilerClosureFinder } from '../../src/include-scan/compiler-closure-finder.ts';
import { FRESHNESS_LIMITS, type FreshnessLimits } from '../../src/include-scan/freshness-limits.ts';
import { ScanningClosureFinder } from '../../src/include-scan/scanning-closure-finder.ts';
import { StillReading } from '../../src/include-scan/source-view-port.ts';
import { runCommand } from '../submitter/run-command.ts';
import { EVENTS_ONLY, ViewFixture } from './view-fixture.ts';
import { SCENARIOS } from './view-scenarios.ts';

/** Every file that holds something is a large one. */
const ALL_LARGE: Partial<FreshnessLimits> = { ...EVENTS_ONLY, largeFileBytes: 0 };

for (const scenario of SCENARIOS) {
  test(`as large sources: ${scenario.name}`, async (t) => {
    const fixture = ViewFixture.for(t, ALL_LARGE);
    await scenario.run(fixture);
    assert.equal(fixture.view.stats().lostBarriers, 0);
  });
}

/** What is thrown for a file that is not known yet. */
function readingOf(fixture: ViewFixture, path: string): StillReading {
  try {
    fixture.view.file(path);
  } catch (error) {
    if (error instanceof StillReading) return error;
    throw error;
  }
  return assert.fail(`${path} was read at once`);
}

/** A header with as many macros and includes as one of some megabytes has. */
function registers(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => `#define REGISTER_${index} 0x${index}\n`);
  return `#include <stdio.h>\n${lines.join('')}#if __has_include("maybe.h")\n#include "tail.h"\n#endif\n`;
}

test('what is known of a large source is what would be known of it as a small one', async (t) => {
  const text = registers(100_000);
  assert.ok(text.length > FRESHNESS_LIMITS.largeFileBytes);
  const small = ViewFixture.for(t, { ...EVENTS_ONLY, largeFileBytes: 1e9 });
  const large = ViewFixture.for(t, EVENTS_ONLY);
  const [smallPath, largePath] = [small.write('a.h', text), large.write('a.h', text)];
  await small.view.refresh();
  await large.view.refresh();
  const asSmall = small.view.file(smallPath);
  const reading = readingOf(large, largePath);
  assert.equal(readingOf(large, largePath), reading, 'it is read once, whoever asks meanwhile');
  await reading.arrived;
  const asLarge = large.view.file(largePath);
  assert.ok(asSmall !== undefined && asLarge !== undefined);
  assert.deepEqual(asLarge.scan, asSmall.scan);
  assert.equal(asLarge.scan.definedNames.length, 100_000);
  assert.deepEqual([asLarge.digest, asLarge.sizeBytes], [asSmall.digest, asSmall.sizeBytes]);
  assert.equal(large.view.file(largePath), asLarge);
  assert.equal(large.view.stats().filesRead, 1);
});

test('a small source is read at once, also while a large one is on its way', async (t) => {
  const fixture = ViewFixture.for(t);
  const [large, small] = [fixture.write('large.h', registers(100_000)), fixture.write('small.h', 'int a;\n')];
  await fixture.view.refresh();
  const reading = readingOf(fixture, large);
  assert.equal(fixture.view.file(small)?.sizeBytes, 7);
  await reading.arrived;
});

test('a source that changes while it is read is read again', async (t) => {
  const fixture = ViewFixture.for(t, ALL_LARGE);
  const path = fixture.write('a.h', registers(50_000));
  await fixture.view.refresh();
  const reading = readingOf(fixture, path);
  appendFileSync(path, '#include "more.h"\n');
  await fixture.assertFresh(path);
  await reading.arrived;
  assert.ok(fixture.view.file(path)?.scan.quoted.includes('more.h'));
});

test('a new time alone gives a new object with the old scan', async (t) => {
  const fixture = ViewFixture.for(t, ALL_LARGE);
  const path = fixture.write('a.h', registers(10));
  await fixture.view.refresh();
  const before = await fixture.read(path);
  fixture.setTimes(path, 1_600_000_000);
  await fixture.view.refresh();
  const after = await fixture.read(path);
  assert.notEqual(after, before);
  assert.equal(after?.scan, before?.scan);
  assert.equal(after?.mtimeSeconds, 1_600_000_000);
});

test('what cannot be read is no file, and is not tried for ever', async (t) => {
  const fixture = ViewFixture.for(t, { ...ALL_LARGE, maxFileBytes: 100 });
  const [long, gone] = [fixture.write('long.h', 'x'.repeat(101)), fixture.write('gone.h', 'int a;\n')];
  await fixture.view.refresh();
  assert.equal(await fixture.read(long), undefined);
  assert.equal(fixture.view.file(long), undefined, 'that is known now');
  fixture.write('long.h', 'short\n');
  await fixture.assertFresh(long);
  const reading = readingOf(fixture, gone);
  rmSync(gone);
  await reading.arrived;
  await fixture.assertFresh(gone);
  if (process.getuid?.() === 0) return;
  const secret = fixture.write('secret.h', 'int b;\n');
  chmodSync(secret, 0);
  await fixture.view.refresh();
  assert.equal(await fixture.read(secret), undefined);
});

test('nobody waits for ever when the view is closed', async (t) => {
  const fixture = ViewFixture.for(t, ALL_LARGE);
  const path = fixture.write('a.h', registers(100_000));
  await fixture.view.refresh();
  const reading = readingOf(fixture, path);
  fixture.view.close();
  await reading.arrived;
});

test('a unit of large sources is scanned, and others get their turns meanwhile', async (t) => {
  const fixture = ViewFixture.for(t);
  const { root, view } = fixture;
  fixture.write('unit.c', '#include "one.h"\n#include "two.h"\n');
  fixture.write('one.h', `#include "below.h"\n${registers(100_000)}`);
  fixture.write('two.h', registers(100_000));
  fixture.write('below.h', 'int a;\n');
  fixture.write('tail.h', 'int b;\n');
  const call = classify({ compilerName: 'gcc', dialect: 'gcc', args: ['-c', 'unit.c'], environment: {} });
  assert.ok(call.kind === 'distributable');
  const finder = new ScanningClosureFinder(view, runCommand, new CompilerClosureFinder(runCommand));
  const waitedFor = new Set<string>();
  const ask = view.file.bind(view);
  view.file = (path) => {
    try {
      return ask(path);
    } catch (error) {
      waitedFor.add(path);
      throw error;
    }
  };
  await view.refresh();
  const outcome = await finder.find(
    {
      invocation: call.invocation,
      compilerPath: '/usr/bin/gcc',
      compilerId: 'gcc',
      workingDirectory: root,
      environment: ['LC_ALL=C'],
    },
    new AbortController().signal,
  );
  assert.ok(outcome.kind === 'closure', JSON.stringify(outcome));
  const own = outcome.closure.files
    .filter((file) => file.startsWith(root))
    .map((file) => file.slice(root.length + 1));
  assert.deepEqual(own.sort(), ['below.h', 'one.h', 'tail.h', 'two.h', 'unit.c']);
  assert.deepEqual([...waitedFor].sort(), [fixture.path('one.h'), fixture.path('two.h')]);
});
