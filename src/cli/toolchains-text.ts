/** `meshcc toolchains` for people: the matrix, and below it in words why two that look alike differ. */
import type { ToolchainCell, ToolchainsView } from '../agent/index.ts';
import { table } from './table.ts';

/** A cell in a word or two. */
function cellText(cell: ToolchainCell): string {
  switch (cell.verdict) {
    case 'same':
      return cell.used ? 'same' : 'same, not used';
    case 'other version':
      return cell.theirVersion ?? 'other version';
    case 'other content':
      return 'differs';
    case 'other host':
      if (cell.used) return 'same code, used';
      return cell.comparison === 'same code' ? 'same code' : 'other host';
    case 'absent':
      return '-';
    default:
      return '?';
  }
}

const LEGEND: Readonly<Partial<Record<ToolchainCell['verdict'], string>>> = {
  'other version': 'a number: another version, not used',
  'other content': 'differs: same version, other content, not used',
  'other host':
    'other host, same code: same version, built to run on another processor architecture; not used if it does not say so',
  absent: '-: no such compiler',
  unknown: '?: not known, see below',
};

/** The whole answer. */
export function toolchainsText({ nodes, compilers, unusableCompilers }: ToolchainsView): string {
  const unusable = unusableCompilers.map(({ path, reason }) => `${path} is not used: ${reason}`);
  if (compilers.length === 0)
    return lines(['no compiler of this machine can be used in the mesh', ...unusable]);
  const rows = compilers.map(({ names, scope, version, targetTriple, cells }) => [
    names[0] ?? '',
    scope,
    version,
    targetTriple,
    ...cells.map(cellText),
  ]);
  const head = ['COMPILER', 'FOR', 'VERSION', 'TARGET', ...nodes.map(({ name }) => name)];
  const cells = compilers.flatMap((compiler) => compiler.cells);
  const verdicts = new Set(cells.map(({ verdict }) => verdict));
  const legend = Object.entries(LEGEND).flatMap(([verdict, text]) =>
    verdicts.has(verdict as ToolchainCell['verdict']) ? [text] : [],
  );
  // That a compiler is absent, the table says already.
  const reasons = cells.flatMap(({ verdict, why }) => (verdict === 'absent' || why === '' ? [] : [why]));
  const notes = [
    ...(nodes.length === 0 ? ['no other node of this mesh is in sight'] : []),
    ...new Set(reasons),
    ...unusable,
  ];
  return [table(head, rows), lines(legend), lines(notes)].filter((part) => part !== '').join('\n');
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
