/** A table that can be sorted, filtered and is shown piece by piece. */

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { filtered, ordered, parseOrder, toggled, type Cell } from "../model/order.ts";
import { setDetail, useRoute } from "../runtime/router.ts";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly hint?: string;
  readonly isNumber?: boolean;
  /** Takes the width that is left, and is cut where there is too little. */
  readonly isText?: boolean;
  /** Left out on a narrow screen. */
  readonly isExtra?: boolean;
  readonly value: (row: Row) => Cell;
  readonly show: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** What a filter looks at; without it there is none. */
  readonly textOf?: (row: Row) => string;
  /** Under which name the order is kept in the address; without it nothing is sorted. */
  readonly orderedBy?: string;
  readonly order?: string;
  readonly empty?: ComponentChildren;
}

const PIECE = 100;

export function Table<Row>(props: TableProps<Row>) {
  const { caption, columns, rows, keyOf, textOf, orderedBy, order = "", empty } = props;
  const { details } = useRoute();
  const [limit, setLimit] = useState(PIECE);
  const filter = textOf === undefined ? "" : (details["filter"] ?? "");
  const chosen = orderedBy === undefined ? "" : (details[orderedBy] ?? order);
  const shownRows = useMemo(() => {
    const found = textOf === undefined ? rows : filtered(rows, filter, textOf);
    const { key, isDescending } = parseOrder(chosen);
    const column = columns.find((each) => each.key === key);
    return column === undefined ? found : ordered(found, column.value, isDescending);
  }, [rows, filter, chosen]);

  return (
    <div class="table-block">
      {textOf !== undefined && (
        <Filter count={shownRows.length} total={rows.length} text={filter} label={caption} />
      )}
      {shownRows.length > 0 && (
      <div class="table-scroll" role="region" aria-label={caption} tabIndex={0}>
        <table>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <Heading key={column.key} column={column} order={chosen} orderedBy={orderedBy} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shownRows.slice(0, limit).map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column) => (
                  <td key={column.key} class={classOf(column)}>
                    {column.show(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      )}
      {shownRows.length === 0 && <p class="empty">{empty ?? "There is nothing here."}</p>}
      {shownRows.length > limit && (
        <button type="button" onClick={() => setLimit(limit + PIECE)}>
          Show {Math.min(PIECE, shownRows.length - limit)} more of {shownRows.length - limit}
        </button>
      )}
    </div>
  );
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly order: string;
  readonly orderedBy: string | undefined;
}

function Heading<Row>({ column, order, orderedBy }: HeadingProps<Row>) {
  const { key, isDescending } = parseOrder(order);
  const isOrdered = orderedBy !== undefined && key === column.key;
  const direction = isDescending ? "descending" : "ascending";
  return (
    <th
      scope="col"
      class={classOf(column)}
      aria-sort={isOrdered ? direction : undefined}
      title={column.hint}
    >
      {orderedBy === undefined ? (
        column.title
      ) : (
        <button
          type="button"
          class="plain"
          onClick={() => setDetail(orderedBy, toggled(order, column.key, column.isNumber === true))}
        >
          {column.title}
          <span aria-hidden="true">{isOrdered ? (isDescending ? " ↓" : " ↑") : ""}</span>
        </button>
      )}
    </th>
  );
}

interface FilterProps {
  readonly text: string;
  readonly count: number;
  readonly total: number;
  readonly label: string;
}

function Filter({ text, count, total, label }: FilterProps) {
  return (
    <div class="filter">
      <input
        type="search"
        value={text}
        placeholder="Filter"
        aria-label={`Filter ${label}`}
        onInput={(event) => setDetail("filter", event.currentTarget.value)}
      />
      <span role="status">{text === "" ? `${total}` : `${count} of ${total}`}</span>
    </div>
  );
}

function classOf<Row>(column: Column<Row>): string {
  const { isNumber = false, isExtra = false, isText = false } = column;
  return [isNumber && "number", isExtra && "extra", isText && "text"].filter(Boolean).join(" ");
}
