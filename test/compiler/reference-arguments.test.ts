/** A compile whose outputs go elsewhere makes the same bytes, by real compilers; where it would not, there is none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { classify, referenceArguments } from '../../src/compiler/index.ts';

const root = mkdtempSync('/tmp/mc-reference-');
const work = join(root, 'work');
const elsewhere = join(root, 'elsewhere');
for (const directory of [work, join(work, 'out'), elsewhere]) mkdirSync(directory);
after(() => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(work, 'unit.h'), 'int helper(int);\n');
writeFileSync(
  join(work, 'unit.c'),
  '#include "unit.h"\n#include <string.h>\nstatic int twice(int a) { return 2 * a; }\nint unit(const char *s) { int unused; return helper(twice((int)strlen(s))); }\n',
);
writeFileSync(
  join(work, 'unit.cpp'),
  '#include <string>\nnamespace { struct hidden { std::string s; } global; }\nstd::string unit() { return global.s + "x"; }\n',
);
writeFileSync(join(work, 'unit.S'), '#include "unit.inc"\n\t.text\nentry:\n\tmov $VALUE, %eax\n\tret\n');
writeFileSync(join(work, 'unit.inc'), '#define VALUE 42\n');

const ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

function referenceOf(compiler: string, args: readonly string[], at: string): string[] | undefined {
  const dialect = compiler.startsWith('clang') ? 'clang' : 'gcc';
  const call = classify({
    compilerName: compiler,
    dialect,
    args,
    environment: {},
    readResponseFile: () => undefined,
  });
  assert.ok(call.kind !== 'local', JSON.stringify(call));
  return referenceArguments(call.invocation, dialect, { outputPath: `${at}.o`, depfilePath: `${at}.d` });
}

/** Compiles in the sources' directory. @returns what was printed */
function compile(compiler: string, args: readonly string[]): string {
  const { status, stderr } = spawnSync(`/usr/bin/${compiler}`, args, { cwd: work, env: ENV });
  assert.equal(status, 0, stderr.toString());
  return stderr.toString();
}

/** Each line: a call, and the files that it makes: the object, then the depfile. */
const MOVABLE: readonly string[] = [
  'gcc -c unit.c: unit.o',
  'gcc -O2 -g -Wall -c unit.c -o out/unit.o: out/unit.o',
  'gcc -g3 -gdwarf-4 -ffunction-sections -c unit.c -o out/unit.o: out/unit.o',
  'gcc -c unit.c -MD: unit.o unit.d',
  'gcc -c unit.c -MMD -o out/unit.o: out/unit.o out/unit.d',
  'gcc -c unit.c -o out/u$x.o -MD -MP -MF out/dep.d: out/u$x.o out/dep.d',
  'gcc -c unit.c -o unit.o -MD -MT some/target -MF dep.d: unit.o dep.d',
  'gcc -c unit.c -MQ a$b -MMD: unit.o unit.d',
  'gcc -Wp,-MMD,out/.unit.o.d -O2 -c -o out/unit.o unit.c: out/unit.o out/.unit.o.d',
  'gcc -Wp,-MD,dep.d -c unit.c: unit.o dep.d',
  'gcc -O2 -S unit.c: unit.s',
  'gcc -S -g unit.c -o out/unit.s: out/unit.s',
  'gcc -flto -frandom-seed=unit -O2 -c unit.c -o out/unit.o: out/unit.o',
  'gcc -c unit.S -MD -g -o out/unit.o: out/unit.o out/unit.d',
  'gcc -fsanitize=address -O1 -g -c unit.c: unit.o',
  'gcc -march=native -O3 -c unit.c -lm: unit.o',
  'g++ -O2 -g -c unit.cpp -MD: unit.o unit.d',
  'g++ -std=c++20 -fno-exceptions -c unit.cpp -o out/unit.o: out/unit.o',
  'clang-14 -O2 -g -MD -c unit.c -o out/unit.o: out/unit.o out/unit.d',
  'clang-14 -c unit.c -MMD: unit.o unit.d',
  'clang-14 -Wp,-MMD,out/.unit.o.d -c unit.c -o out/unit.o: out/unit.o out/.unit.o.d',
  'clang-14 -Wp,-MD,dep.d -c unit.c: unit.o dep.d',
  'clang-14 -flto=thin -c unit.c -o out/unit.o: out/unit.o',
  'clang-14 -fprofile-instr-generate -fcoverage-mapping -c unit.c -o out/unit.o: out/unit.o',
  'clang-14 -S -O1 unit.c -o out/unit.s: out/unit.s',
  'clang++-14 -O2 -g -c unit.cpp -o out/unit.o -MD -MT x: out/unit.o out/unit.d',
];

function split(line: string): { compiler: string; args: string[]; files: string[] } {
  const [call = '', made = ''] = line.split(': ');
  const [compiler = '', ...args] = call.split(' ');
  return { compiler, args, files: made.split(' ') };
}

for (const line of MOVABLE) {
  const { compiler, args, files } = split(line);
  const skip = existsSync(`/usr/bin/${compiler}`) ? false : `${compiler} is not installed`;
  test(`the same bytes elsewhere: ${line}`, { skip }, () => {
    const printed = compile(compiler, args);
    const expected = files.map((file) => readFileSync(join(work, file)));
    for (const file of files) rmSync(join(work, file));
    const moved = referenceOf(compiler, args, join(elsewhere, 'other'));
    assert.ok(moved !== undefined);
    assert.equal(compile(compiler, moved), printed);
    const ends = files.length > 1 ? ['o', 'd'] : ['o'];
    assert.deepEqual(
      ends.map((end) => readFileSync(join(elsewhere, `other.${end}`))),
      expected,
    );
    for (const end of ends) rmSync(join(elsewhere, `other.${end}`));
    // Nothing else appeared, here or there.
    assert.deepEqual(readdirSync(elsewhere), []);
    assert.deepEqual(readdirSync(work).sort(), ['out', 'unit.S', 'unit.c', 'unit.cpp', 'unit.h', 'unit.inc']);
    assert.deepEqual(readdirSync(join(work, 'out')), []);
  });
}

const IMMOVABLE: readonly string[] = [
  'gcc -g -gsplit-dwarf -c unit.c',
  'gcc --coverage -frandom-seed=1 -c unit.c',
  'gcc -fprofile-arcs -frandom-seed=1 -c unit.c',
  'gcc -fprofile-generate -frandom-seed=1 -c unit.c',
  'gcc -fprofile-use -c unit.c',
  'gcc --coverage -c unit.c',
  'gcc -fstack-usage -c unit.c',
  'gcc -save-temps -c unit.c',
  'gcc -fdump-tree-optimized -c unit.c',
  'gcc -S -MD unit.c',
  'clang-14 -g -gsplit-dwarf -c unit.c',
  'clang-14 --coverage -c unit.c',
];

for (const line of IMMOVABLE) {
  test(`no reference where names decide about bytes: ${line}`, () => {
    const [compiler = '', ...args] = line.split(' ');
    assert.equal(referenceOf(compiler, args, '/elsewhere/other'), undefined);
  });
}
