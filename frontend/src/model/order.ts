/** Rows in an order, and those of them that hold a text. */

export type Cell = number | string | null;

export interface Order {
  readonly key: string;
  readonly isDescending: boolean;
}

/** `-count` is by count, the highest first. */
export function parseOrder(text: string): Order {
  const isDescending = text.startsWith("-");
  return { key: isDescending ? text.slice(1) : text, isDescending };
}

/** The order after somebody has chosen a column: figures begin with the highest. */
export function toggled(order: string, key: string, isNumber: boolean): string {
  const current = parseOrder(order);
  const isDescending = current.key === key ? !current.isDescending : isNumber;
  return `${isDescending ? "-" : ""}${key}`;
}

export function ordered<Row>(
  rows: readonly Row[],
  value: (row: Row) => Cell,
  isDescending: boolean,
): Row[] {
  const sign = isDescending ? -1 : 1;
  return [...rows].sort((first, second) => compare(value(first), value(second), sign));
}

/** What is not known comes last, in either direction. */
function compare(first: Cell, second: Cell, sign: number): number {
  if (first === null || second === null) {
    return Number(first === null) - Number(second === null);
  }
  if (typeof first === "number" && typeof second === "number") {
    return sign * (first - second);
  }
  return sign * String(first).localeCompare(String(second));
}

/** The rows that hold every word of a text, whatever its case. */
export function filtered<Row>(
  rows: readonly Row[],
  text: string,
  textOf: (row: Row) => string,
): readonly Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return rows;
  }
  return rows.filter((row) => {
    const within = textOf(row).toLowerCase();
    return words.every((word) => within.includes(word));
  });
}
