/**
 * distcc-pump as Debian 12 has it does not work: the C extension of its include server is compiled without
 * PY_SSIZE_T_CLEAN, which Python 3.10 and later demand for arguments with a length. Each request raises SystemError,
 * the include server dies, and distcc goes on without pump mode and hardly a word. The cure is that macro, and
 * Py_ssize_t for the lengths. It is built from Debian's own source into a copy of the include server; the installed
 * package stays as it is.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { type Log, runCommand, unpackDebianSource } from '../workloads/index.ts';

const INSTALLED_SERVER = '/usr/lib/python3/dist-packages/include_server';
const INSTALLED_PUMP = '/usr/bin/distcc-pump';
const MODULE = 'include_server/c_extensions/distcc_pump_c_extensions_module.c';

const home = (cacheDirectory: string): string => join(cacheDirectory, 'pump');

/** The repaired `distcc-pump`. */
export function pumpProgram(cacheDirectory: string): string {
  return join(home(cacheDirectory), 'distcc-pump');
}

/** Changes text that must be there: if the source is another one, the cure may be wrong. */
function edit(file: string, edits: readonly (readonly [RegExp, string])[]): void {
  let text = readFileSync(file, 'utf8');
  for (const [pattern, replacement] of edits) {
    if (!pattern.test(text))
      throw new BenchError(`${file} has nothing like ${pattern}: it is another version`);
    text = text.replace(pattern, replacement);
  }
  writeFileSync(file, text);
}

function builtExtension(source: string): string {
  const built = readdirSync(join(source, '_include_server'), { recursive: true, encoding: 'utf8' }).find(
    (path) => path.endsWith('.so') && path.includes('lib'),
  );
  if (built === undefined) throw new BenchError(`distcc's make built no extension below ${source}`);
  return join(source, '_include_server', built);
}

async function buildExtension(source: string, logFile: string): Promise<string> {
  edit(join(source, MODULE), [
    [/^#include "Python.h"/m, '#define PY_SSIZE_T_CLEAN\n$&'],
    [/^ {2}int in_len;/gm, '  Py_ssize_t in_len;'],
    [/^ {2}int len;/gm, '  Py_ssize_t len;'],
  ]);
  const run = (...argv: string[]): Promise<number> => runCommand(argv, { cwd: source, logFile });
  await run('./autogen.sh');
  await run('./configure', '--disable-Werror', 'PYTHON=/usr/bin/python3');
  await run('make', 'include-server');
  return builtExtension(source);
}

/** A copy of the include server around the new extension, and a distcc-pump that starts that one. */
function assemble(directory: string, extension: string, finalDirectory: string): void {
  const server = join(directory, 'include_server');
  cpSync(INSTALLED_SERVER, server, { recursive: true });
  for (const file of readdirSync(server)) if (file.endsWith('.so')) rmSync(join(server, file));
  cpSync(extension, join(server, extension.slice(dirname(extension).length + 1)));
  const program = join(directory, 'distcc-pump');
  writeFileSync(program, readFileSync(INSTALLED_PUMP), { mode: 0o755 });
  const main = join(finalDirectory, 'include_server', 'include_server.py');
  edit(program, [[/^include_server='.*/m, `include_server='${main}'`]]);
}

/**
 * Builds the repaired pump mode below the cache, unless that was done before.
 * @throws BenchError naming the step that failed
 */
export async function preparePump(cacheDirectory: string, log: Log): Promise<void> {
  if (existsSync(pumpProgram(cacheDirectory))) return;
  log('repairing distcc-pump: building the extension of its include server from source');
  const logFile = join(cacheDirectory, 'logs', 'pump.log');
  const source = join(cacheDirectory, 'distcc-source');
  const parts = `${home(cacheDirectory)}.new`;
  for (const directory of [source, parts, home(cacheDirectory)]) {
    rmSync(directory, { recursive: true, force: true });
  }
  mkdirSync(source, { recursive: true });
  mkdirSync(parts);
  await unpackDebianSource('distcc', source, cacheDirectory, log);
  assemble(parts, await buildExtension(source, logFile), home(cacheDirectory));
  const check =
    'import distcc_pump_c_extensions as x; assert x.OsPathExists("/") and not x.OsPathIsFile("/")';
  await runCommand(['/usr/bin/python3', '-c', check], {
    cwd: parts,
    logFile,
    env: { ...process.env, PYTHONPATH: join(parts, 'include_server') },
  });
  renameSync(parts, home(cacheDirectory));
  rmSync(source, { recursive: true, force: true });
}
