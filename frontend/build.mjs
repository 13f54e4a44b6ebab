// Bundle src/ into the directory that is named: `node build.mjs DIRECTORY`.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 90;
const BUNDLED = ["preact", "uplot"];
const FILES = ["dashboard.js", "dashboard.css"];

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  throw new Error("Name the directory that the bundle goes to.");
}
const target = resolve(directory);
await mkdir(target, { recursive: true });
await build({
  entryPoints: { dashboard: "src/main.tsx" },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "inline",
  outdir: target,
  logLevel: "warning",
});

// The wheel contains these packages, so it contains what they are licensed by.
const licenses = BUNDLED.map(async (name) => {
  const text = await readFile(join("node_modules", name, "LICENSE"), "utf8");
  return `${name}\n\n${text.trim()}\n`;
});
await writeFile(join(target, "licenses.txt"), (await Promise.all(licenses)).join("\n\n"));

let total = 0;
for (const name of FILES) {
  total += gzipSync(await readFile(join(target, name))).length;
}
const size = `${(total / 1000).toFixed(1)} kB gzipped`;
if (total > LIMIT_KB * 1000) {
  throw new Error(`The dashboard is ${size}, more than its ${LIMIT_KB} kB.`);
}
console.log(`The dashboard is ${size}.`);
