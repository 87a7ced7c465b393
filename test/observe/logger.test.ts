/** What the agent writes to stderr, read from a process of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const LOGGER = new URL('../../src/observe/index.js', import.meta.url).href;

/** stderr of a process that does `calls` with a logger `log`. */
function logged(level: string, format: string, calls: string): string {
  const script = `import { createLogger } from ${JSON.stringify(LOGGER)};
    const log = createLogger(${JSON.stringify(level)}, ${JSON.stringify(format)});
    ${calls}`;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  assert.equal(result.stdout, '', 'standard output belongs to the command');
  return result.stderr;
}

test('text: one line per event with time, level, message and fields', () => {
  const text = logged(
    'info',
    'text',
    `log.info('hello'); log.warn({ node: 'b', jobs: 3, list: [1] }, 'two words'); log.debug('hidden');
     log.child({ role: 'worker' }).error('bad');`,
  );
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 3, text);
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  assert.match(lines[0]!, new RegExp(`^${time} info {2}hello$`));
  assert.match(lines[1]!, new RegExp(`^${time} warn {2}two words node=b jobs=3 list=\\[1\\]$`));
  assert.match(lines[2]!, new RegExp(`^${time} error bad role=worker$`));
});

test('json: what a machine reads has the same events', () => {
  const [first, second] = logged('debug', 'json', `log.debug({ node: 'b' }, 'one'); log.error('two');`)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: number; msg: string; node?: string });
  assert.deepEqual([first?.level, first?.msg, first?.node], [20, 'one', 'b']);
  assert.deepEqual([second?.level, second?.msg], [50, 'two']);
});

test('silent is silent', () => {
  assert.equal(logged('silent', 'text', `log.error('x'); log.fatal('y');`), '');
});

test('what is logged last before the process ends is not lost', () => {
  for (const format of ['text', 'json']) {
    const text = logged(
      'info',
      format,
      `for (let i = 0; i < 100; i++) log.info('line ' + i); process.exit(0);`,
    );
    assert.equal(text.trimEnd().split('\n').length, 100, format);
  }
});
