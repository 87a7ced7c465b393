/** The table at the end of a build: what was compiled where, and why not elsewhere. */
import { LOCAL_REASONS } from '../compiler/index.ts';
import type { BuildSummary } from '../observe/index.ts';
import { table } from './table.ts';

/** Reasons of calls that no mesh could ever take are one line, so that those that matter stand out. */
export function summaryText(summary: BuildSummary, title: string): string {
  const { remoteJobs, localJobs, nodes, local, verification } = summary;
  if (remoteJobs + localJobs === 0) return `${title}: no compiler calls\n`;
  const failed =
    summary.failedAttempts === 0 ? '' : `, ${summary.failedAttempts} attempts repeated elsewhere`;
  const lines = [
    `${title}: ${remoteJobs} compiled on other nodes, ${localJobs} ${localJobs === 1 ? 'call' : 'calls'} here${failed}${comparedText(verification)}`,
    ...verification.findings.map((finding) => `!! ${finding}`),
  ];
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

function comparedText({ agreed, wrong, unrepeatable, undecided }: BuildSummary['verification']): string {
  const compared = agreed + wrong + unrepeatable + undecided;
  if (compared === 0) return '';
  return compared === agreed
    ? `, ${compared} compiled twice and compared`
    : `, ${compared} compiled twice and compared, of which ${compared - agreed} DIFFERED`;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
