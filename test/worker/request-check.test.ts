/** What a worker accepts: what the option table would let through here, and nothing that was tampered with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, type InvocationArg } from '../../src/compiler/index.ts';
import type { WireArgument, WireJob } from '../../src/mesh/index.ts';
import { checkRequest } from '../../src/worker/request-check.ts';
import { GCC, GXX, toolchainOf } from './real-toolchains.ts';

/** An argument that a test may change. */
interface MutableArgument extends WireArgument {
  name: string;
  form: string;
  value: string;
  list: MutableArgument[];
}

type MutableJob = Omit<WireJob, 'arguments'> & { arguments: MutableArgument[] };

const toWire = ({ name, form, value, list }: InvocationArg): MutableArgument => ({
  name,
  form,
  value,
  list: list.map(toWire),
});

/** The job that an honest submitter makes of a command line. */
function jobOf(compilerName: string, ...args: string[]): MutableJob {
  const call = classify({
    compilerName,
    dialect: 'gcc',
    args,
    environment: {},
    readResponseFile: () => undefined,
  });
  if (call.kind === 'local') throw new Error(`stays local: ${call.reason} ${call.detail}`);
  const { invocation } = call;
  return {
    jobId: 1,
    toolchainRef: 1,
    workingDirectory: '/app',
    arguments: invocation.args.map(toWire),
    inputs: Buffer.alloc(0),
    environment: ['LC_ALL=C.UTF-8'],
    umask: 0o022,
    outputs: invocation.outputs.map(({ kind, path, required }) => ({ kind, path, required })),
    processor: [],
  };
}

const KERNEL_LIKE = [
  '-Wp,-MMD,drivers/.x.o.d',
  '-nostdinc',
  '-I./include',
  '-include',
  'include/config.h',
  '-D__KERNEL__',
  '-O2',
  '-g',
  '-c',
  '-o',
  'drivers/x.o',
  'drivers/x.c',
];

const flag = (name: string): MutableArgument => ({ name, form: 'flag', value: '', list: [] });

test('honest jobs are accepted, and mean what the submitter derived', async () => {
  const [gcc, gxx] = [await toolchainOf(GCC), await toolchainOf(GXX)];
  const accepted = [
    checkRequest(jobOf('gcc', ...KERNEL_LIKE), gcc, 'gcc'),
    checkRequest(jobOf('gcc', '-S', 'x.c'), gcc, 'x86_64-linux-gnu-gcc-12'),
    checkRequest(jobOf('g++', '-c', 'x.cc', '-MD', '-gsplit-dwarf'), gxx, 'g++'),
    // g++ compiles a .c file as C++.
    checkRequest(jobOf('g++', '-c', 'x.c'), gxx, 'c++'),
  ];
  for (const check of accepted) assert.equal(check.kind, 'accepted', JSON.stringify(check));
  const [first] = accepted;
  assert.ok(first?.kind === 'accepted');
  assert.deepEqual(
    first.invocation.outputs.map(({ path }) => path),
    ['drivers/.x.o.d', 'drivers/x.o'],
  );
});

/** Changes to an honest job that must make the worker refuse it. */
const TAMPERED: Record<string, (job: MutableJob) => void> = {
  'a relative working directory': (job) => {
    job.workingDirectory = 'work';
  },
  'a working directory with dot-dot': (job) => {
    job.workingDirectory = '/app/../etc';
  },
  'a working directory with NUL': (job) => {
    job.workingDirectory = '/app\0';
  },
  'a variable that is not forwarded': (job) => {
    job.environment.push('LD_PRELOAD=/app/evil.so');
  },
  'a search path of another kind': (job) => {
    job.environment.push('COMPILER_PATH=/app');
  },
  'a variable without a value': (job) => {
    job.environment.push('LC_ALL');
  },
  'a variable given twice': (job) => {
    job.environment.push('LC_ALL=C');
  },
  'a variable with a value outside its pattern': (job) => {
    job.environment[0] = 'LC_ALL=../../etc/passwd';
  },
  'an impossible umask': (job) => {
    job.umask = 0o1000;
  },
  'an unknown form': (job) => {
    job.arguments[0]!.form = 'raw';
  },
  'a processor that no option asks for': (job) => {
    job.processor.push('-march=znver3');
  },
  'a native option without a processor': (job) => {
    job.arguments.push(flag('-march=native'));
  },
  'a processor that is a program': (job) => {
    job.arguments.push(flag('-march=native'));
    job.processor.push('-march=znver3', '%:getenv(HOME x)');
  },
  'a processor with another option': (job) => {
    job.arguments.push(flag('-march=native'));
    job.processor.push('-march=znver3', '-fplugin=/app/evil.so');
  },
  'a processor on two lines': (job) => {
    job.arguments.push(flag('-march=native'));
    job.processor.push('-march=znver3\n\n*cc1:\n-fplugin=/app/evil.so');
  },
  'a processor that never ends': (job) => {
    job.arguments.push(flag('-march=native'));
    job.processor.push(...new Array<string>(1_000).fill('-mavx'));
  },
  'a form that is only like a known one': (job) => {
    job.arguments[0]!.form = '__proto__';
  },
  'an option that is not in the table': (job) => {
    job.arguments.push(flag('-fplugin=/app/evil.so'));
  },
  'a refused option as a flag': (job) => {
    job.arguments.push(flag('-wrapper'));
  },
  'a specs file': (job) => {
    job.arguments.push({ name: '-specs=', form: 'joined', value: '/app/evil.specs', list: [] });
  },
  'a directory of programs': (job) => {
    job.arguments.push({ name: '-B', form: 'joined', value: '/app', list: [] });
  },
  'an option presented as a flag with a value in its name': (job) => {
    job.arguments.push(flag('-I/etc'));
  },
  'an option presented as a source': (job) => {
    job.arguments.push({ name: '', form: 'source', value: '-fplugin=/app/evil.so', list: [] });
  },
  'a response file presented as a source': (job) => {
    job.arguments.push({ name: '', form: 'source', value: '@/app/arguments', list: [] });
  },
  'a second source': (job) => {
    job.arguments.push({ name: '', form: 'source', value: 'y.c', list: [] });
  },
  'no source': (job) => {
    job.arguments = job.arguments.filter(({ form }) => form !== 'source');
  },
  'a value of a flag': (job) => {
    job.arguments.push({ name: '-c', form: 'flag', value: '-fplugin=x', list: [] });
  },
  'a list of a flag': (job) => {
    job.arguments.push({ name: '-c', form: 'flag', value: '', list: [flag('-v')] });
  },
  'a separate value that swallows the next option': (job) => {
    job.arguments.push({ name: '-I', form: 'separate', value: '', list: [] });
  },
  'a comma that splits a piece of a list in two': (job) => {
    const list = job.arguments.find(({ form }) => form === 'list');
    list!.list[0]!.value = 'x.d,-D,X';
  },
  'a program for the assembler': (job) => {
    job.arguments.push({ name: '-Wa,', form: 'list', value: '', list: [flag('-I/etc')] });
  },
  'lists in lists': (job) => {
    const inner = { name: '-Wp,', form: 'list', value: '', list: [flag('-MMD')] };
    job.arguments.push({ name: '-Wp,', form: 'list', value: '', list: [inner] });
  },
  'lists a thousand deep': (job) => {
    let nested = flag('-MMD');
    for (let depth = 0; depth < 1000; depth++)
      nested = { name: '-Wp,', form: 'list', value: '', list: [nested] };
    job.arguments.push(nested);
  },
  'too many arguments': (job) => {
    job.arguments.push(...Array.from({ length: 65_536 }, () => flag('-O2')));
  },
  linking: (job) => {
    job.arguments = job.arguments.filter(({ name }) => name !== '-c');
  },
  'an output that does not follow': (job) => {
    job.outputs.push({ kind: 'object', path: '/etc/passwd', required: false });
  },
  'an output elsewhere': (job) => {
    job.outputs[1]!.path = '../x.o';
  },
  'an output less': (job) => {
    job.outputs.pop();
  },
  'an output of another kind': (job) => {
    job.outputs[0]!.kind = 'object';
  },
  'an output that may be missing': (job) => {
    job.outputs[1]!.required = false;
  },
  'an object on a device': (job) => {
    job.arguments.find(({ name }) => name === '-o')!.value = '/dev/full';
    job.outputs[1]!.path = '/dev/full';
  },
};

for (const [what, tamper] of Object.entries(TAMPERED)) {
  test(`refused: ${what}`, async () => {
    const toolchain = await toolchainOf(GCC);
    const job = jobOf('gcc', ...KERNEL_LIKE);
    assert.equal(checkRequest(job, toolchain, 'gcc').kind, 'accepted');
    tamper(job);
    const check = checkRequest(job, toolchain, 'gcc');
    assert.ok(check.kind === 'refused' && check.reason.length > 5, JSON.stringify(check));
  });
}

test('the name of the compiler must be one of the toolchain’s kind', async () => {
  const [gcc, gxx] = [await toolchainOf(GCC), await toolchainOf(GXX)];
  const job = jobOf('gcc', '-c', 'x.c');
  for (const name of ['g++', 'c++', 'sh', 'gcc-ar', 'as', '', '..', 'gcc/../sh']) {
    assert.equal(checkRequest(job, gcc, name).kind, 'refused', name);
  }
  assert.equal(checkRequest(job, gxx, 'gcc').kind, 'refused');
});

test('a language that the toolchain’s identity does not cover is refused', async () => {
  const gcc = await toolchainOf(GCC);
  for (const source of ['x.cc', 'x.m']) {
    const job = jobOf('gcc', '-c', source);
    const check = checkRequest(job, gcc, 'gcc');
    assert.ok(check.kind === 'refused' && check.reason.includes('not offered'), JSON.stringify(check));
  }
});

test('every argument that is left out, doubled or moved to the front is refused or harmless', async () => {
  const toolchain = await toolchainOf(GCC);
  const honest = jobOf('gcc', ...KERNEL_LIKE);
  for (let index = 0; index < honest.arguments.length; index++) {
    const changes = [
      honest.arguments.toSpliced(index, 1),
      honest.arguments.toSpliced(index, 0, honest.arguments[index]!),
      [honest.arguments[index]!, ...honest.arguments.toSpliced(index, 1)],
    ];
    for (const changed of changes) {
      const check = checkRequest({ ...honest, arguments: changed }, toolchain, 'gcc');
      // What is accepted still makes exactly the outputs that were claimed.
      if (check.kind === 'accepted') {
        assert.deepEqual(
          check.invocation.outputs.map(({ path }) => path),
          ['drivers/.x.o.d', 'drivers/x.o'],
        );
      }
    }
  }
});
