/** `meshcc agent` and `meshcc stop`. */
import { type Command, Option } from 'commander';
import { SETTINGS, type SettingName, type WrittenSettings } from '../../agent/config.ts';
import { agentPaths } from '../../base/paths.ts';
import { askAgent } from '../control-client.ts';

/** The options of the settings table. */
function settingOptions(): Option[] {
  return Object.values(SETTINGS).map((setting) => {
    const text = 'negatedText' in setting ? setting.negatedText : setting.text;
    return new Option(setting.option, `${text} [${setting.env}]`);
  });
}

/** What was written on the command line, by setting. */
function writtenSettings(values: Record<string, unknown>): WrittenSettings {
  const written: WrittenSettings = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const value = values[new Option(setting.option).attributeName()];
    const negated = setting.option.startsWith('--no-');
    // Commander gives `true` to a --no-x option that nobody wrote: the environment must still count.
    if (value === undefined || (negated && value === true)) continue;
    written[name as SettingName] = value as string | string[] | boolean;
  }
  return written;
}

export function addAgentCommand(program: Command): void {
  const agent = program
    .command('agent')
    .description('run this machine’s part of the mesh: take calls here, compile for others')
    .addHelpText(
      'after',
      '\nExamples:\n  meshcc agent\n  meshcc agent --slots 2 --interface usb0 usb1\n  meshcc agent --peer 10.55.0.2:9310',
    );
  for (const option of settingOptions()) agent.addOption(option);
  agent.action(async (values: Record<string, unknown>) => {
    const { loadConfig, runAgent } = await import('../../agent/index.ts');
    const config = loadConfig(process.env, writtenSettings(values));
    const status = await runAgent(config, agentPaths(), (started) => {
      if (started.mesh.meshId === undefined && !config.insecure) {
        started.log.info(
          'this node belongs to no mesh yet: run `meshcc invite` on one node, `meshcc join CODE` on the others',
        );
      }
    });
    process.exitCode = status;
  });

  program
    .command('stop')
    .description('end the agent of this user; jobs that are under way are finished first')
    .option('--now', 'do not wait for them')
    .addHelpText('after', '\nExamples:\n  meshcc stop\n  meshcc stop --now')
    .action(async ({ now }: { now?: boolean }) => {
      await askAgent(agentPaths().controlSocket, 'POST', '/v1/stop', { now: now === true });
    });
}
