/** The table at the end of a build: what was compiled where, and why not elsewhere. */
import { LOCAL_REASONS } from '../compiler/index.ts';
import type { BuildSummary } from '../observe/index.ts';
import { table } from './table.ts';

/** Reasons of calls that no mesh could ever take are one line, so that those that matter stand out. */
export function summaryText(summary: BuildSummary, title: string): string {
  const { remoteJobs, localJobs, nodes, local } = summary;
  if (remoteJobs + localJobs === 0) return `${title}: no compiler calls\n`;
  const failed =
    summary.failedAttempts === 0 ? '' : `, ${summary.failedAttempts} attempts repeated elsewhere`;
  const lines = [`${title}: ${remoteJobs} compiled on other nodes, ${localJobs} calls here${failed}`];
  if (nodes.length > 0) {
    lines.push(
      table(
        ['NODE', 'JOBS#', 'CPU s#'],
        nodes.map(({ name, jobs, cpuSeconds }) => [name, jobs, cpuSeconds.toFixed(1)]),
      ),
    );
  }
  if (local.length > 0) {
    const rows = local.map(({ reason, jobs, example }) => [
      reason,
      jobs,
      LOCAL_REASONS[reason].text,
      clip(example),
    ]);
    lines.push(table(['HERE BECAUSE', 'CALLS#', '', 'E.G.'], rows));
  }
  return lines.join('\n');
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
