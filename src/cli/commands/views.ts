/** `meshcc status`, `nodes`, `toolchains` and `explain`: what is going on, and why something was compiled here. */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { JobView, NodeView, QuarantineView, StatusView, ToolchainsView } from '../../agent/index.ts';
import { agentPaths } from '../../base/paths.ts';
import { isLocalReasonId, LOCAL_REASONS } from '../../compiler/index.ts';
import { askAgent } from '../control-client.ts';
import { positiveNumber } from '../positive-number.ts';
import { summaryText } from '../summary.ts';
import { table } from '../table.ts';
import { toolchainsText } from '../toolchains-text.ts';

export function addViewCommands(program: Command): void {
  program
    .command('status')
    .description('this machine: its roles, its mesh, what has been compiled where')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  meshcc status\n  meshcc status --json')
    .action(async ({ json }: { json?: boolean }) => {
      const status = await askAgent<StatusView>(agentPaths().controlSocket, 'GET', '/v1/status');
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
    });

  program
    .command('nodes')
    .description('the machines in sight, and whether they compile for this one')
    .option('--release <node>', 'take a node, by name or id, back from quarantine')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  meshcc nodes\n  meshcc nodes --json\n  meshcc nodes --release board1',
    )
    .action(async ({ json, release }: { json?: boolean; release?: string }) => {
      if (release !== undefined) return releaseNode(release, json === true);
      const answer = await askAgent<{ nodes: NodeView[] }>(agentPaths().controlSocket, 'GET', '/v1/nodes');
      process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : nodesText(answer.nodes));
    });

  program
    .command('toolchains')
    .description('which nodes have the compilers of this machine, and why those that look alike differ')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  meshcc toolchains\n  meshcc toolchains --json')
    .action(async ({ json }: { json?: boolean }) => {
      const answer = await askAgent<ToolchainsView>(agentPaths().controlSocket, 'GET', '/v1/toolchains');
      process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : toolchainsText(answer));
    });

  program
    .command('explain')
    .description('why calls were compiled on this machine: the latest ones, with their reasons')
    .addArgument(new Argument('[reason]', 'only calls with this reason').argParser(knownReason))
    .addOption(new Option('--limit <count>', 'how many calls').default(20).argParser(positiveNumber))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  meshcc explain\n  meshcc explain unknown-option --limit 100')
    .action(async (reason: string | undefined, { limit, json }: { limit: number; json?: boolean }) => {
      const query = new URLSearchParams({ place: 'local', limit: String(limit) });
      if (reason !== undefined) query.set('reason', reason);
      const answer = await askAgent<{ jobs: JobView[] }>(
        agentPaths().controlSocket,
        'GET',
        `/v1/jobs?${query}`,
      );
      process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : explainText(answer.jobs));
    });
}

async function releaseNode(node: string, json: boolean): Promise<void> {
  const answer = await askAgent<{ released: QuarantineView[] }>(
    agentPaths().controlSocket,
    'POST',
    '/v1/release',
    { node },
  );
  if (json) return void process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  for (const each of answer.released)
    process.stdout.write(`${each.nodeName}: ${compilerOf(each)} is used again, on probation at first\n`);
}

function compilerOf({ compiler, toolchainId }: QuarantineView): string {
  return compiler === '' ? `compiler ${toolchainId.slice(0, 8)}` : compiler;
}

/** @throws InvalidArgumentError, which becomes an error of the command line */
function knownReason(text: string): string {
  if (isLocalReasonId(text)) return text;
  throw new InvalidArgumentError(
    'There is no such reason; `meshcc explain` shows those that occurred, docs/local-reasons.md all of them.',
  );
}

function statusText(status: StatusView): string {
  const lines = [
    `${status.name} (node ${status.nodeId.slice(0, 8)}), meshcc ${status.version}, up ${status.uptimeSeconds} s`,
    status.insecure
      ? 'mesh      INSECURE: no encryption, no identities'
      : `mesh      ${status.meshId ?? 'none yet: meshcc invite here, or meshcc join CODE'}; ${status.connectedNodes} ${status.connectedNodes === 1 ? 'node' : 'nodes'} connected`,
    ...(status.port === undefined ? [] : [`port      ${status.port}, where other nodes reach this one`]),
    status.worker.on
      ? `worker    ${status.worker.running} of ${status.worker.slots} slots busy, ${status.worker.waiting} waiting`
      : `worker    off: ${status.worker.detail}`,
    ...sandboxLines(status.worker.sandbox),
    status.submitter === undefined
      ? 'submitter off'
      : `submitter ${status.submitter.openCalls} calls open, ${status.submitter.waitingForNode} wait for a node, ${status.submitter.localRunning} of ${status.submitter.localSlots} local slots busy`,
    ...status.compilers.map(
      ({ names, languages, version, targetTriple, id }) =>
        `compiler  ${names[0]} ${version} for ${targetTriple}: ${languages.join(', ')} (${id.slice(0, 8)})`,
    ),
    ...status.quarantine.map(
      (each) =>
        `QUARANTINE ${each.nodeName}: ${compilerOf(each)} compiled ${each.unit} wrongly at ${new Date(each.sinceMs).toISOString()}; ${each.evidence === '' ? 'nothing was kept' : `kept in ${each.evidence}`}; meshcc nodes --release ${each.nodeName} takes it back`,
    ),
    ...status.otherHosts.map(
      ({ nodeName, compiler, scope, host, used, why }) =>
        `host      ${nodeName} runs ${compiler} (${scope}) on ${host}, ${used ? 'used' : 'not used'}: ${why}`,
    ),
    ...status.unusableCompilers.map(({ path, reason }) => `compiler  ${path} is not used: ${reason}`),
    '',
  ];
  return `${lines.join('\n')}${summaryText(status.jobs, 'Since the agent started')}`;
}

function sandboxLines(sandbox: StatusView['worker']['sandbox']): string[] {
  if (sandbox === undefined) return [];
  const whom = sandbox.serves === 'members' ? 'every member of the mesh' : 'nodes named with --trust only';
  return [
    `sandbox   ${sandbox.rung}, for ${whom}: ${sandbox.detail}; ${sandbox.controlGroups}`,
    ...sandbox.missed.map(
      ({ rung, detail, advice }) =>
        `sandbox   not ${rung}: ${detail}${advice === undefined ? '' : `. ${advice}`}`,
    ),
  ];
}

function nodesText(nodes: readonly NodeView[]): string {
  if (nodes.length === 0) {
    return 'no other node is in sight. Start `meshcc agent` on one, on the same network; or name it: meshcc agent --peer HOST:PORT\n';
  }
  const rows = nodes.map((node) => [
    node.name,
    node.state,
    node.address,
    node.slots ?? '',
    node.inFlight ?? '',
    node.commonCompilers ?? '',
    node.sandbox ?? '',
    node.detail,
  ]);
  return table(['NODE', 'STATE', 'ADDRESS', 'SLOTS#', 'JOBS#', 'COMPILERS#', 'SANDBOX', ''], rows);
}

function explainText(jobs: readonly JobView[]): string {
  if (jobs.length === 0) return 'no call was compiled here for such a reason\n';
  const lines: string[] = [];
  for (const { subject, place, failedAttempts } of jobs) {
    if (place.kind !== 'local') continue;
    lines.push(`${subject}: ${place.reason}${place.detail === '' ? '' : ` (${place.detail})`}`);
    for (const attempt of failedAttempts) lines.push(`    tried ${attempt}`);
  }
  const reasons = new Set(jobs.flatMap(({ place }) => (place.kind === 'local' ? [place.reason] : [])));
  lines.push('');
  for (const reason of reasons) {
    const { text, advice } = LOCAL_REASONS[reason];
    lines.push(`${reason}: ${text}${advice === undefined ? '' : ` ${advice}`}`);
  }
  return `${lines.join('\n')}\n`;
}
