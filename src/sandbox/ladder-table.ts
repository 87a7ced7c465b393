/** The ladder as tables of docs/security.md. */
import { RUNG_NAMES, RUNGS, WALLS, type Wall } from './rungs.ts';

const NO_WALL = '**nothing**';

/** Two Markdown tables: what each rung needs and whom it serves, and how each builds every wall. */
export function renderLadder(): string {
  const rungs = RUNG_NAMES.map((name) => {
    const { needs, serves } = RUNGS[name];
    return [
      `\`${name}\``,
      needs,
      serves === 'members' ? 'every member of the mesh' : 'nodes named with `--trust`',
    ];
  });
  const walls = (Object.keys(WALLS) as Wall[]).map((wall) => [
    `\`${wall}\``,
    WALLS[wall],
    ...RUNG_NAMES.map((name) => RUNGS[name].walls[wall] ?? NO_WALL),
  ]);
  return [
    table(['rung', 'needs', 'serves'], rungs),
    table(['wall', 'promise about a job', ...RUNG_NAMES.map((name) => `\`${name}\``)], walls),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
