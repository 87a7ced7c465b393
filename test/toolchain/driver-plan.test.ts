/** Reading what drivers and loaders print, for the forms that this machine's own do not show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDriverPlan } from '../../src/toolchain/driver-plan.ts';
import { parseIncludeDirectories, parseSearchDirectories } from '../../src/toolchain/search-paths.ts';
import { parseLoaderList } from '../../src/toolchain/shared-libraries.ts';

test('a cross gcc with its own assembler, specs file and a blank in its path', () => {
  const plan = parseDriverPlan(`Reading specs from /opt/x tools/lib/gcc/aarch64-linux-gnu/12/specs
COLLECT_GCC=/opt/x tools/bin/aarch64-linux-gnu-gcc
Target: aarch64-linux-gnu
gcc version 12.2.0 (Debian 12.2.0-14)
COLLECT_GCC_OPTIONS='-v' '-c' '-o' 'x.o'
 "/opt/x tools/lib/gcc/aarch64-linux-gnu/12/cc1" -quiet x.c "-mabi=lp64" -o /tmp/ccEbcVKU.s
 "/opt/x tools/lib/gcc/../../aarch64-linux-gnu/bin/as" -EL -o x.o /tmp/ccEbcVKU.s
 aarch64-linux-gnu-objcopy --extract-dwo x.o x.dwo
 aarch64-linux-gnu-objcopy --strip-dwo x.o
`);
  assert.deepEqual(plan, {
    dialect: 'gcc',
    driver: 'c',
    versionText: 'gcc version 12.2.0 (Debian 12.2.0-14)',
    programs: [
      { role: 'cc1', program: '/opt/x tools/lib/gcc/aarch64-linux-gnu/12/cc1' },
      { role: 'as', program: '/opt/x tools/lib/gcc/../../aarch64-linux-gnu/bin/as' },
      { role: 'objcopy', program: 'aarch64-linux-gnu-objcopy' },
    ],
    optionFiles: [{ role: 'specs', path: '/opt/x tools/lib/gcc/aarch64-linux-gnu/12/specs' }],
    gccInstallation: undefined,
  });
});

test('a clang with a configuration file, in both languages, with and without its own assembler', () => {
  const output = (language: string, rest: string) => `Debian clang version 14.0.6
Target: x86_64-pc-linux-gnu
InstalledDir: /usr/bin
Configuration file: /etc/clang/x86_64.cfg
Selected GCC installation: /usr/bin/../lib/gcc/x86_64-linux-gnu/12
 (in-process)
 "/usr/lib/llvm-14/bin/clang" "-cc1" "-triple" "x86_64" "-o" "x.o" "-x" "${language}" "x.c"
${rest}`;
  const c = parseDriverPlan(output('c', ''));
  assert.deepEqual(c, {
    dialect: 'clang',
    driver: 'c',
    versionText: 'Debian clang version 14.0.6',
    programs: [],
    optionFiles: [{ role: 'config', path: '/etc/clang/x86_64.cfg' }],
    gccInstallation: '/usr/bin/../lib/gcc/x86_64-linux-gnu/12',
  });
  const cxx = parseDriverPlan(output('c++', ' "/usr/bin/as" "--64" "-o" "x.o" "/tmp/x.s"\n'));
  assert.ok(!('reason' in cxx));
  assert.equal(cxx.driver, 'c++');
  assert.deepEqual(cxx.programs, [{ role: 'as', program: '/usr/bin/as' }]);
});

test('a driver that starts something unknown is not trusted', () => {
  const plan = parseDriverPlan('gcc version 12.2.0\n /opt/bin/patcher x.c\n');
  assert.deepEqual(plan, { reason: 'it starts /opt/bin/patcher, whose part in a compile is not known' });
});

test('loader lists of glibc and musl', () => {
  const glibc = `\tlinux-vdso.so.1 (0x00007ffc51f06000)
\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007fd8f4c3f000)
\t/opt/a b/libown.so (0x00007fd8f4c3f000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007fd8f4c93000)
`;
  assert.deepEqual(parseLoaderList(glibc, '/lib64/ld-linux-x86-64.so.2'), [
    '/lib64/ld-linux-x86-64.so.2',
    '/lib/x86_64-linux-gnu/libz.so.1',
    '/opt/a b/libown.so',
  ]);
  const musl = `\t/lib/ld-musl-aarch64.so.1 (0x7f8a1c000)
\tlibc.musl-aarch64.so.1 => /lib/ld-musl-aarch64.so.1 (0x7f8a1c000)
`;
  assert.deepEqual(parseLoaderList(musl, '/lib/ld-musl-aarch64.so.1'), ['/lib/ld-musl-aarch64.so.1']);
});

test('include and search directories', () => {
  const text = `ignoring nonexistent directory "/usr/local/include/x86_64-linux-gnu"
#include "..." search starts here:
#include <...> search starts here:
 /usr/lib/gcc/x86_64-linux-gnu/12/include
 /usr/include
End of search list.
`;
  assert.deepEqual(parseIncludeDirectories(text), {
    includeDirectories: ['/usr/lib/gcc/x86_64-linux-gnu/12/include', '/usr/include'],
    absentIncludeDirectories: ['/usr/local/include/x86_64-linux-gnu'],
  });
  assert.equal(parseIncludeDirectories('cc1: fatal error'), undefined);
  assert.deepEqual(parseSearchDirectories('install: /i/\nprograms: =/p/:/q/../:/p/\nlibraries: =/l/\n'), [
    '/p/',
    '/q/../',
    '/l/',
  ]);
});
