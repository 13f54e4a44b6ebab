/** A trend in the height of a line of text. */

interface SparklineProps {
  readonly values: readonly (number | null)[];
  readonly label: string;
}

const [WIDTH, HEIGHT] = [96, 20];

export function Sparkline({ values, label }: SparklineProps) {
  const known = values.filter((value): value is number => value !== null);
  return (
    <svg
      class="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${label}: ${known.length === 0 ? "nothing" : `up to ${Math.max(...known)}`}`}
    >
      <path d={pathOf(values, WIDTH, HEIGHT)} />
    </svg>
  );
}

/** The path of a line through values from zero up; what is not known is a gap, alone it is a dot. */
export function pathOf(
  values: readonly (number | null)[],
  width: number,
  height: number,
): string {
  const highest = Math.max(0, ...values.map((value) => value ?? 0)) || 1;
  const step = width / Math.max(values.length - 1, 1);
  let isBroken = true;
  return values
    .map((value, index) => {
      if (value === null) {
        isBroken = true;
        return "";
      }
      const [command, dot] = isBroken ? ["M", "h0"] : ["L", ""];
      isBroken = false;
      const y = height - 1 - (value / highest) * (height - 2);
      return `${command}${(index * step).toFixed(1)} ${y.toFixed(1)}${dot}`;
    })
    .join("");
}
