#!/usr/bin/env node
/** `meshcc`: the command line tool. Commands load what they need when they run, so that `status` starts fast. */
import { basename } from 'node:path';
import { Command, CommanderError } from 'commander';
import { MeshError, messageOf } from '../base/errors.ts';
import { PACKAGE_VERSION } from '../base/package-root.ts';
import { isCompilerName } from '../compiler/index.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addBuildCommands } from './commands/build.ts';
import { addPairingCommands } from './commands/pairing.ts';
import { addViewCommands } from './commands/views.ts';
import { runWrapped } from './commands/wrapper.ts';
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts';

function createProgram(): Command {
  const program = new Command('meshcc');
  program
    .description('Compile on every machine you plug in: no hosts file, no scheduler, no set-up.')
    .version(PACKAGE_VERSION)
    .showHelpAfterError('(meshcc --help shows the commands)')
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText(
      'before',
      [
        'Examples:',
        '  board$   meshcc agent                 compile for others',
        '  board$   meshcc join mc1-…            once: enter the mesh that `meshcc invite` opened',
        '  laptop$  meshcc run -- make -j40      build with everything that is plugged in',
        '  laptop$  meshcc gcc -c hello.c        one compile, like `ccache gcc -c hello.c`',
        '  laptop$  meshcc bench                 how fast the boards compile',
        '',
      ].join('\n'),
    );
  addAgentCommand(program);
  addBuildCommands(program);
  addPairingCommands(program);
  addViewCommands(program);
  addBenchCommand(program);
  return program;
}

async function main(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (first !== undefined && isCompilerName(basename(first)) !== undefined) return runWrapped(argv);
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT_CODES.ok.status);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage.status;
    process.stderr.write(`meshcc: ${messageOf(error)}\n`);
    if (process.env.MESHCC_DEBUG !== undefined && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    return error instanceof MeshError ? exitCodeOf(error.code) : EXIT_CODES.internal.status;
  }
}

process.exit(await main(process.argv.slice(2)));
