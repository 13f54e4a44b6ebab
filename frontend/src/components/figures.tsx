/** Figures with their names, side by side. */

interface FiguresProps {
  readonly items: readonly (readonly [name: string, value: string])[];
}

export function Figures({ items }: FiguresProps) {
  return (
    <dl class="figures">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
