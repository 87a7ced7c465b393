/** Small cases, each with the compiler's own list (-M) as the truth: the scanner must never find less. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { suite, test } from 'node:test';
import { classify, type Invocation, parseDepfile, renderArguments } from '../../src/compiler/index.ts';
import type { ClosureRequest, InputClosure } from '../../src/include-scan/closure.ts';
import { CompilerClosureFinder } from '../../src/include-scan/compiler-closure-finder.ts';
import { ScanningClosureFinder } from '../../src/include-scan/scanning-closure-finder.ts';
import { ASSEMBLER_CASES } from './cases/assembler-cases.ts';
import { COMPUTED_CASES } from './cases/computed-cases.ts';
import { EVIDENCE_CASES } from './cases/evidence-cases.ts';
import { LEXING_CASES } from './cases/lexing-cases.ts';
import { PASTED_CASES } from './cases/pasted-cases.ts';
import type { ScanCase } from './cases/scan-case.ts';
import { SEARCH_CASES } from './cases/search-cases.ts';
import { CommandRunner, DiskView } from './disk-view.ts';

const NEVER = new AbortController().signal;

function layOut(directory: string, scanCase: ScanCase): void {
  for (const [path, text] of Object.entries(scanCase.files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(
      join(directory, path),
      typeof text === 'string' ? text.replaceAll('$DIR', directory) : text,
    );
  }
  for (const [path, target] of Object.entries(scanCase.links ?? {})) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    symlinkSync(target, join(directory, path));
  }
}

function invocationOf(directory: string, { source = 'main.c', args = [] }: ScanCase): Invocation {
  const call = classify({
    compilerName: source.endsWith('.cc') ? 'g++' : 'gcc',
    dialect: 'gcc',
    args: [...args.map((arg) => arg.replaceAll('$DIR', directory)), '-c', source, '-o', 'out.o'],
    environment: { PWD: directory },
  });
  assert.equal(call.kind, 'distributable', JSON.stringify(call));
  assert.ok(call.kind === 'distributable');
  return call.invocation;
}

function resolved(directory: string, path: string): string {
  return realpathSync.native(path.startsWith('/') ? path : `${directory}/${path}`);
}

/** What the compiler says that it reads; nothing of a source that is not preprocessed but the source itself. */
async function includedFiles(request: ClosureRequest): Promise<string[]> {
  const { invocation, workingDirectory } = request;
  if (invocation.language === 'assembler') return [resolved(workingDirectory, invocation.sourcePath)];
  const truth = await new CompilerClosureFinder(new CommandRunner().run).find(request, NEVER);
  assert.ok(truth.kind === 'closure', JSON.stringify(truth));
  return truth.closure.files.map((file) => resolved(workingDirectory, file));
}

/** What the assembler says that it read, less what it cannot have read. */
function assembledFiles({ invocation, compilerPath, workingDirectory }: ClosureRequest): string[] {
  const argv = [...renderArguments(invocation.args), '-Wa,--MD,read.d'];
  const { status, stderr } = spawnSync(compilerPath, argv, { cwd: workingDirectory, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const listed = parseDepfile(readFileSync(join(workingDirectory, 'read.d'), 'utf8'));
  return listed
    .filter((path) => path !== basename(invocation.sourcePath) && !path.startsWith('/tmp/cc'))
    .filter((path) => existsSync(resolve(workingDirectory, path)))
    .map((path) => resolved(workingDirectory, path));
}

async function checkClosure(
  scanCase: ScanCase,
  request: ClosureRequest,
  closure: InputClosure,
): Promise<void> {
  const directory = request.workingDirectory;
  const found = new Set(closure.files.map((file) => resolved(directory, file)));
  const embedded = scanCase.assembles ? assembledFiles(request) : [];
  const read = new Set([...(await includedFiles(request)), ...embedded]);
  for (const path of scanCase.reads ?? [])
    assert.ok(read.has(resolved(directory, path)), `the compiler does not read ${path}`);
  const missed = [...read].filter((path) => !found.has(path));
  assert.deepEqual(missed, [], 'files that the compiler reads and the scanner missed');
  for (const path of scanCase.alsoFinds ?? [])
    assert.ok(found.has(resolved(directory, path)), `${path} is not in the closure`);
  for (const path of scanCase.leavesOut ?? [])
    assert.ok(!found.has(resolved(directory, path)), `${path} is in the closure`);
  for (const path of scanCase.absent ?? [])
    assert.ok(
      closure.probedAbsent?.includes(join(directory, path)),
      `${path} is not among ${closure.probedAbsent?.join(' ')}`,
    );
  assert.deepEqual(
    closure.sourceFiles?.map((file) => file.path),
    closure.files.map((file) => realpathSync.native(file)),
  );
}

async function check(scanCase: ScanCase): Promise<void> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-scan-')));
  try {
    layOut(directory, scanCase);
    const request: ClosureRequest = {
      invocation: invocationOf(directory, scanCase),
      compilerId: 'gcc',
      compilerPath: scanCase.source?.endsWith('.cc') ? '/usr/bin/g++' : '/usr/bin/gcc',
      workingDirectory: directory,
      environment: ['LC_ALL=C', ...(scanCase.environment ?? [])],
    };
    const runner = new CommandRunner();
    const view = new DiskView();
    const finder = new ScanningClosureFinder(view, runner.run, new CompilerClosureFinder(runner.run));
    await view.refresh();
    const first = await finder.find(request, NEVER);
    assert.equal(first.kind === 'local' ? first.reason : undefined, scanCase.local, JSON.stringify(first));
    const asked = runner.argvs.some((argv) => argv.includes('-M'));
    assert.equal(asked, scanCase.asksCompiler === true, 'asked the compiler for the closure');
    if (first.kind === 'closure') await checkClosure(scanCase, request, first.closure);
    await view.refresh();
    const again = await finder.find(request, NEVER);
    assert.deepEqual(
      again.kind === 'closure' ? [...again.closure.files].sort() : again,
      first.kind === 'closure' ? [...first.closure.files].sort() : first,
      'another answer when asked again',
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const TOPICS: Readonly<Record<string, readonly ScanCase[]>> = {
  'ways to write a directive': LEXING_CASES,
  'where headers are looked for': SEARCH_CASES,
  'computed includes': COMPUTED_CASES,
  'other evidence': EVIDENCE_CASES,
  'what the assembler reads': ASSEMBLER_CASES,
  'pasted questions': PASTED_CASES,
};

for (const [topic, cases] of Object.entries(TOPICS)) {
  suite(`include scan: ${topic}`, () => {
    for (const scanCase of cases) test(scanCase.name, () => check(scanCase));
  });
}
