/** SQL on lines of its own; the text itself is not changed beyond spaces. */

const BREAKS =
  /\s+(?=(?:FROM|WHERE|(?:LEFT |RIGHT |FULL |INNER |CROSS )?(?:OUTER )?JOIN|GROUP BY|ORDER BY|HAVING|LIMIT|UNION|VALUES|SET|RETURNING|ON CONFLICT)\b)/i;
const INDENTED = /\s+(?=(?:AND|OR)\b)/i;
// Names and texts in quotes are left as they are.
const QUOTED = /("[^"]*"|'[^']*'|`[^`]*`)/;

export function lines(sql: string): string {
  return sql
    .split(QUOTED)
    .map((part, index) => (index % 2 === 1 ? part : broken(part)))
    .join("");
}

function broken(part: string): string {
  return part
    .replace(new RegExp(BREAKS, "gi"), "\n")
    .replace(new RegExp(INDENTED, "gi"), "\n  ");
}

const SELECT = /^SELECT (?:DISTINCT )?/i;
// What is looked at in turn: quoted texts whole, brackets, and the word that ends a selection.
const TOKENS = /"[^"]*"|'[^']*'|`[^`]*`|[()]| FROM /gi;
const WORTH_IT = 16;

/** A statement in a line: what it selects is left out, so that statements can be told apart. */
export function condensed(sql: string): string {
  const text = sql.replace(/\s+/g, " ").trim();
  const begin = SELECT.exec(text)?.[0];
  const end = begin === undefined ? undefined : endOfSelection(text);
  if (begin === undefined || end === undefined || end - begin.length < WORTH_IT) {
    return text;
  }
  return `${begin}…${text.slice(end)}`;
}

/** Where the FROM is that no bracket encloses. */
function endOfSelection(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    depth += token === "(" ? 1 : token === ")" ? -1 : 0;
    if (depth === 0 && token.toUpperCase() === " FROM ") {
      return index;
    }
  }
  return undefined;
}
