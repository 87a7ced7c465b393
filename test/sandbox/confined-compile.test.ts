/** A compile in a cell gives what the same compile outside gives, byte for byte, and leaves the tree alone. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import type { Cell, CellExit, CellJob } from '../../src/sandbox/index.ts';
import {
  compileEnvironment,
  GCC,
  jobOf,
  NOBODY,
  openWorkshop,
  VARIANTS,
  type Workshop,
} from './toolchain-tree.ts';

const SOURCE = `#include "part.h"
int total(const int *values, int count) {
  int sum = PART;
  for (int i = 0; i < count; i++) sum += values[i];
  return sum;
}
const char *where(void) { return __FILE__; }
`;

/** Each row: a name, gcc's arguments after the source, and the outputs that must come back. */
const COMPILES: readonly [string, string[], string[]][] = [
  ['-O2', ['-O2', '-o', 'a.o'], ['a.o']],
  ['-g with a depfile', ['-g', '-O1', '-MD', '-MF', 'a.d', '-o', 'a.o'], ['a.d', 'a.o']],
  ['split DWARF', ['-g', '-gsplit-dwarf', '-o', 'a.o'], ['a.dwo', 'a.o']],
  ['coverage notes', ['--coverage', '-frandom-seed=1', '-o', 'a.o'], ['a.gcno', 'a.o']],
];

let workshop: Workshop;
let source: string;

before(async () => {
  workshop = await openWorkshop(true);
  workshop.addSource('part.h', '#define PART 7\n');
  source = workshop.addSource('a.c', SOURCE);
});
after(() => workshop.close());

async function exited(cell: Cell, job: CellJob): Promise<CellExit> {
  const result = await cell.run(job);
  if (result.kind === 'fault') assert.fail(`${result.cause}: ${result.detail}`);
  return result;
}

async function outputBytes(result: CellExit): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const output of result.outputs) files.set(output.path, await output.read(0, output.sizeBytes));
  return files;
}

function compileOutside(args: string[], outputs: string[]): Map<string, Buffer> {
  const environment = Object.fromEntries(
    compileEnvironment(workshop.submitter).map((entry) => entry.split(/=(.*)/s).slice(0, 2)),
  );
  execFileSync(GCC, args, { cwd: workshop.submitter, env: environment });
  return new Map(
    outputs.map((name) => [join(workshop.submitter, name), readFileSync(join(workshop.submitter, name))]),
  );
}

/** Path, mode, size, mtime and content of everything in the tree. */
function snapshot(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const status = statSync(path);
      const content = status.isFile() ? digestOf(readFileSync(path)) : 'directory';
      return `${path} ${status.mode} ${status.size} ${status.mtimeMs} ${content}`;
    });
}

async function assertEveryCompileIsEqual(cell: Cell): Promise<void> {
  for (const [name, options, outputs] of COMPILES) {
    const args = ['-c', source, ...options];
    const result = await exited(cell, jobOf([GCC, ...args], workshop.submitter));
    assert.equal(result.stderr.toString(), '', name);
    assert.equal(result.exitStatus, 0, name);
    assert.deepEqual(result.irregular, [], name);
    const found = await outputBytes(result);
    assert.deepEqual([...found.keys()].map((path) => basename(path)).sort(), outputs, name);
    for (const [path, bytes] of compileOutside(args, outputs))
      assert.ok(found.get(path)?.equals(bytes), `${name}: ${path}`);
    assert.ok(result.cpuUs > 0 && result.maxRssKib > 1000, name);
    result.release();
  }
}

for (const variant of VARIANTS) {
  describe(`a compile in a cell of the kind ${variant}`, () => {
    it('gives the same files as outside and leaves the tree unchanged', async () => {
      const cell = await workshop.open({ variant });
      const earlier = snapshot(workshop.tree);
      await assertEveryCompileIsEqual(cell);
      assert.deepEqual(snapshot(workshop.tree), earlier);
    });

    it('replaces a file that the tree has in a view of its own only, or fails', async () => {
      const header = workshop.addSource('replaced.h', '#define OLD\n');
      const cell = await workshop.open({ variant });
      const result = await exited(cell, jobOf([GCC, '-c', source, '-o', header], workshop.submitter));
      // Where inputs are linked, they are not the job's to replace.
      assert.equal(result.exitStatus === 0, !cell.wantsView);
      assert.deepEqual([...(await outputBytes(result)).keys()], cell.wantsView ? [] : [header]);
      result.release();
      assert.equal(readFileSync(join(workshop.tree, header), 'utf8'), '#define OLD\n');
    });

    it('does not see what another job writes at the same path', async () => {
      const cell = await workshop.open({ variant });
      const value = workshop.addSource('value.c', 'const int value[1000] = {[0 ... 999] = VALUE};\n');
      const compile = (number: number) => ['-c', value, `-DVALUE=${number}`, '-o', 'value.o'];
      const results = await Promise.all(
        [1, 2, 3].map((number) => exited(cell, jobOf([GCC, ...compile(number)], workshop.submitter))),
      );
      for (const [index, result] of results.entries()) {
        const [bytes] = (await outputBytes(result)).values();
        const [expected] = compileOutside(compile(index + 1), ['value.o']).values();
        assert.ok(bytes && expected?.equals(bytes));
        result.release();
      }
    });
  });
}

describe('a compile in a cell', () => {
  it('applies the umask to what it writes', async () => {
    const cell = await workshop.open();
    const result = await exited(
      cell,
      jobOf([GCC, '-c', source, '-o', 'a.o'], workshop.submitter, { umask: 0o077 }),
    );
    assert.deepEqual(
      result.outputs.map((output) => output.mode),
      [0o600],
    );
    result.release();
  });

  it('sees files that are added to the tree while the cell is open', async () => {
    const cell = await workshop.open();
    const late = join(workshop.submitter, 'late.c');
    const job = jobOf([GCC, '-c', late, '-o', 'late.o'], workshop.submitter);
    assert.equal((await exited(cell, job)).exitStatus, 1);
    workshop.addSource('late.c', 'int late;\n');
    const result = await exited(cell, job);
    assert.equal(result.exitStatus, 0);
    result.release();
  });

  it('reads an output in pieces, many at once, and not after its release', async () => {
    const cell = await workshop.open();
    const big = workshop.addSource('big.c', 'int big[400000] = {[0 ... 399999] = 0x1234567};\n');
    const args = ['-c', big, '-o', 'big.o'];
    const result = await exited(cell, jobOf([GCC, ...args], workshop.submitter));
    const [output] = result.outputs;
    assert.ok(output && output.sizeBytes > 1_600_000);
    const pieceBytes = 300_001;
    const pieces = await Promise.all(
      Array.from({ length: Math.ceil(output.sizeBytes / pieceBytes) }, (_, i) =>
        output.read(i * pieceBytes, pieceBytes),
      ),
    );
    const [expected] = compileOutside(args, ['big.o']).values();
    assert.ok(expected?.equals(Buffer.concat(pieces)));
    assert.equal((await output.read(output.sizeBytes, 10)).length, 0);
    result.release();
    result.release();
    await assert.rejects(output.read(0, 1), { code: 'MESHCC_SANDBOX' });
  });
});

describe('stderr as a terminal', () => {
  const WARNS = `int f(int unused_parameter_with_a_long_name) { return "a string constant that makes this line long" + 1, 2; }\n`;
  const ESCAPE = '\u001b[';
  const hasScript = spawnSync('script', ['--version']).status === 0;

  for (const stdinToo of [true, false]) {
    it(`gives the diagnostics of a real terminal, stdin ${stdinToo ? 'too' : 'apart'}`, {
      skip: !hasScript,
    }, async () => {
      const cells = await Promise.all(VARIANTS.map((variant) => workshop.open({ variant })));
      const warns = workshop.addSource('warns.c', WARNS);
      const args: [string, ...string[]] = [GCC, '-Wall', '-c', warns, '-o', 'warns.o'];
      const command = `stty cols 64 rows 20 -opost; exec ${args.join(' ')} ${stdinToo ? '' : '</dev/null'}`;
      const environment = Object.fromEntries(
        compileEnvironment(workshop.submitter).map((entry) => entry.split(/=(.*)/s).slice(0, 2)),
      );
      const reference = execFileSync('script', ['-qec', command, '/dev/null'], {
        cwd: workshop.submitter,
        env: { ...environment, SHELL: '/bin/sh' },
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'latin1',
      });
      const stderrTty = { columns: 64, rows: 20, stdinToo };
      assert.ok(reference.includes(ESCAPE));
      // What GCC does with the width differs, so the two cases are not the same test twice.
      assert.equal(reference.includes('int unused_parameter'), !stdinToo);
      for (const cell of cells) {
        const result = await exited(cell, jobOf(args, workshop.submitter, { stderrTty }));
        result.release();
        assert.equal(result.stderr.toString('latin1'), reference);
        const plain = await exited(cell, jobOf(args, workshop.submitter));
        plain.release();
        assert.ok(!plain.stderr.includes(ESCAPE));
      }
    });
  }
});

const notRoot = process.getuid?.() !== 0 && 'needs root';

describe('an ordinary user', { skip: notRoot }, () => {
  it('gets the same files from a cell of its own', async () => {
    const cell = await workshop.open({ asNobody: true });
    const owner = readFileSync(`/proc/${cell.processId}/status`, 'utf8').match(/^Uid:\s+(\d+)/m)?.[1];
    assert.equal(owner, String(NOBODY));
    await assertEveryCompileIsEqual(cell);
  });
});
