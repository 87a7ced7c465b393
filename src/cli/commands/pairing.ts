/** `meshcc invite` and `meshcc join`. */
import { type Command, Option } from 'commander';
import { agentPaths } from '../../base/paths.ts';
import { askAgent, followAgent } from '../control-client.ts';
import { positiveNumber } from '../positive-number.ts';

export function addPairingCommands(program: Command): void {
  program
    .command('invite')
    .description(
      'admit one more node: prints a code that works once, for ten minutes, in place of an earlier one',
    )
    .addOption(
      new Option('--minutes <count>', 'how long the code works').default(10).argParser(positiveNumber),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  meshcc invite\n  meshcc invite --minutes 60')
    .action(async ({ minutes, json }: { minutes: number; json?: boolean }) => {
      const answer = await askAgent<{ code: string; port: number; isNewMesh: boolean }>(
        agentPaths().controlSocket,
        'POST',
        '/v1/invite',
        {
          validityMs: minutes * 60_000,
        },
      );
      if (json) return void process.stdout.write(`${JSON.stringify(answer)}\n`);
      process.stdout.write(`${answer.code}\n`);
      if (answer.isNewMesh)
        process.stderr.write(
          'This node has founded a new mesh with it. If it was to enter one that is there already: `meshcc invite` on\n' +
            'the node that founded that one, and `meshcc join --force CODE` here.\n',
        );
      process.stderr.write(
        `On the other machine, with its agent running:\n  meshcc join ${answer.code}\n` +
          `If it cannot find this one by itself, add: --at ADDRESS-OF-THIS-MACHINE:${answer.port}\n`,
      );
    });

  program
    .command('join')
    .description('enter the mesh of a code that `meshcc invite` printed on another node')
    .argument('<code>', 'the code')
    .option('--at <host:port>', 'where the inviting node listens, if multicast does not reach it')
    .option('--force', 'leave the present mesh for this one')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  meshcc join mc1-…\n  meshcc join mc1-… --at 10.55.0.1:40123')
    .action(async (code: string, { at, force, json }: { at?: string; force?: boolean; json?: boolean }) => {
      const answer = await followAgent<{ meshId: string; alreadyMember: boolean }>(
        agentPaths().controlSocket,
        '/v1/join',
        { code, address: at, force: force === true },
        (sentence) => process.stderr.write(`${sentence}\n`),
      );
      if (json) return void process.stdout.write(`${JSON.stringify(answer)}\n`);
      process.stdout.write(
        answer.alreadyMember
          ? `already in mesh ${answer.meshId}\n`
          : `joined mesh ${answer.meshId}; meshcc nodes shows its other nodes\n`,
      );
    });
}
