/** What the user sees and what the build tool gets are the compiler's own words, wherever it ran. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DIAGNOSTIC_CASES, type DiagnosticCase } from './support/diagnostic-cases.ts';
import { removeFiles, writeFiles } from './support/file-tree.ts';
import { assertLocal, assertRemote, assertSameAsPlain, assertSameEnd } from './support/same-as-plain.ts';
import { hasTerminals, onTerminal } from './support/terminal.ts';
import { TestMesh } from './support/test-mesh.ts';

let mesh: TestMesh;
let directories = 0;

before(async () => {
  mesh = await TestMesh.start();
});
after(() => mesh?.close());

function prepared(each: DiagnosticCase): string {
  const directory = join(mesh.work, `case-${++directories}`);
  mkdirSync(directory);
  writeFiles(directory, each.files);
  return directory;
}

for (const each of DIAGNOSTIC_CASES) {
  test(`same words: ${each.name}`, () =>
    mesh.explaining(async () => {
      const { compiler = 'gcc', args, env = {} } = each;
      const { job, ended } = await assertSameAsPlain(mesh, {
        compiler,
        args,
        env,
        directory: prepared(each),
      });
      const said = ended.stderr.toString('utf8') + ended.stdout.toString('utf8');
      assert.ok(said.includes(each.says), `${each.says} is not in\n${said}`);
      if (each.place === 'remote') assertRemote(job);
      else if (each.place === 'local') assert.equal(job.place.kind, 'local');
      else assertLocal(job, each.place);
    }));
}

function assertColoured(output: Buffer, word: string): void {
  const line = output
    .toString('utf8')
    .split('\n')
    .find((each) => each.includes(word));
  assert.ok(line?.includes('\u001b['), `${word} has no colour`);
}

const LONG_LINE = `int f(int a, int b) { if (a = b) return ${'a + b + '.repeat(30)}1; return 0; }\n`;
const TERMINAL_CASE: DiagnosticCase = {
  name: 'terminal',
  args: ['-Wall', '-c', 'unit.c', '-o', 'unit.o'],
  files: { 'unit.c': LONG_LINE },
  place: 'remote',
  says: 'warning:',
};

for (const columns of [40, 80, 173]) {
  for (const stdin of ['terminal', 'null'] as const) {
    test(
      `same words on a terminal of ${columns} columns, standard input: ${stdin}`,
      { skip: !hasTerminals() },
      () =>
        mesh.explaining(async () => {
          const cwd = prepared(TERMINAL_CASE);
          const env = { TERM: 'xterm-256color', SHELL: '/bin/sh' };
          const argv = onTerminal(['gcc', ...TERMINAL_CASE.args], { columns, rows: 30 }, stdin);
          const plain = await mesh.plain(argv, { cwd, env });
          removeFiles(cwd, ['unit.o']);
          const meshed = await mesh.run(argv, { cwd, env });
          assertSameEnd(plain, meshed, `on ${columns} columns`);
          assertColoured(meshed.stdout, 'warning:');
          assert.equal(meshed.jobs.length, 1);
          for (const job of meshed.jobs) assertRemote(job);
        }),
    );
  }
}

test('an error on a terminal is the local compiler’s own', { skip: !hasTerminals() }, () =>
  mesh.explaining(async () => {
    const cwd = prepared({ ...TERMINAL_CASE, files: { 'unit.c': 'int f(void) { return nothing; }\n' } });
    const env = { TERM: 'xterm-256color', SHELL: '/bin/sh' };
    const argv = onTerminal(['gcc', ...TERMINAL_CASE.args], { columns: 100, rows: 30 }, 'terminal');
    const plain = await mesh.plain(argv, { cwd, env });
    const meshed = await mesh.run(argv, { cwd, env });
    assertSameEnd(plain, meshed, 'on a terminal');
    assert.equal(meshed.status, 1);
    assertColoured(meshed.stdout, 'error:');
    for (const job of meshed.jobs) assertLocal(job, 'remote-nonzero-exit');
  }),
);
