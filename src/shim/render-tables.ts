/** The tables of docs/shim-protocol.md, out of the tables of the code. */
import { SHIM_FRAMES, SHIM_LOCAL_CAUSES, SHIM_REASONS } from './frames.ts';

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

/** Markdown: every frame, every cause of LOCAL, every reason that the shim itself gives. */
export function renderShimTables(): string {
  const frames = Object.entries(SHIM_FRAMES).map(([name, kind]) => [
    kind.id,
    name,
    kind.from,
    kind.payload,
    kind.meaning,
  ]);
  const causes = Object.entries(SHIM_LOCAL_CAUSES).map(([name, cause]) => [cause.id, name, cause.meaning]);
  const reasons = Object.entries(SHIM_REASONS).map(([id, meaning]) => [`\`${id}\``, meaning]);
  return [
    '### Frames',
    table(['type', 'name', 'from', 'payload', 'meaning'], frames),
    '### Causes of LOCAL',
    table(['cause', 'name', 'meaning'], causes),
    '### Reasons that the shim gives itself',
    table(['reason', 'meaning'], reasons),
  ].join('\n\n');
}
