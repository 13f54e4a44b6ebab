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
