// Run test/*.test.ts(x) by Node's own test runner, through a bundle: `node test.mjs`.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = ["--enable-source-maps", "--test", "--test-reporter=spec"];

const directory = await mkdtemp(join(tmpdir(), "prs-otel-frontend-tests-"));
try {
  const tests = (await readdir("test")).filter((name) => /\.test\.tsx?$/.test(name));
  await build({
    entryPoints: tests.map((name) => join("test", name)),
    bundle: true,
    format: "esm",
    platform: "node",
    outExtension: { ".js": ".mjs" },
    loader: { ".css": "empty" },
    sourcemap: "inline",
    outdir: directory,
    logLevel: "warning",
  });
  const built = tests.map((name) => join(directory, name.replace(/\.tsx?$/, ".mjs")));
  const ran = spawnSync(process.execPath, [...FLAGS, ...built], {
    stdio: "inherit",
    env: { ...process.env, TZ: "Europe/Berlin" },
  });
  process.exitCode = ran.status ?? 1;
} finally {
  await rm(directory, { recursive: true });
}
