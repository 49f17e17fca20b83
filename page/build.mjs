// Bundles src/ into what the server sends: hashed files, a manifest of them, and the licences of what is in them.
//
//     node build.mjs            all of it
//     node build.mjs --no-aladin   without Aladin Lite (GPL-3); pages then draw the sky themselves

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "skydex", "web", "pages", "built");
const widgetOut = join(here, "..", "src", "skydex", "notebook", "built");
const withAladin = !process.argv.includes("--no-aladin");

for (const folder of [out, widgetOut]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  metafile: true,
  legalComments: "none",
  loader: { ".css": "text" },
  alias: { regl: "regl/dist/regl.unchecked.js" }, // without the checks that help who writes shaders: half the size
  jsx: "automatic",
  jsxImportSource: "preact",
};
const made = await build({
  ...common,
  entryPoints: ["src/boot.ts"],
  outdir: out,
  splitting: true,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
});
// The view for notebooks is one file that asks for no other: a notebook has no server of ours beside it.
const widget = await build({ ...common, entryPoints: ["src/widget.tsx"], outdir: widgetOut });

const files = {};
for (const [file, facts] of Object.entries(made.metafile.outputs)) {
  if (facts.entryPoint) files[facts.entryPoint.replace(/^src\//, "").replace(/\.tsx?$/, "")] = relative(out, join(here, file));
}

const used = packagesOf(made.metafile);
if (withAladin) {
  const bytes = readFileSync(join(here, "node_modules/aladin-lite/dist/aladin.js"));
  files.aladin = `aladin-${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}.js`;
  cpSync(join(here, "node_modules/aladin-lite/dist/aladin.js"), join(out, files.aladin)); // unmodified
  used.add("aladin-lite");
}

writeFileSync(join(out, "manifest.json"), JSON.stringify(files, null, 1) + "\n");
writeFileSync(join(out, "THIRD_PARTY.txt"), licencesOf(used));
writeFileSync(join(widgetOut, "THIRD_PARTY.txt"), licencesOf(packagesOf(widget.metafile)));

function packagesOf(metafile) {
  const found = Object.keys(metafile.inputs).map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
  return new Set(found.filter(Boolean));
}

function licencesOf(names) {
  return [...names].sort().map(licenceOf).join("\n\n");
}

function licenceOf(name) {
  const folder = join(here, "node_modules", name);
  const facts = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|copying)/i.test(file));
  const text = texts.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
  return `${"=".repeat(78)}\n${name} ${facts.version}, ${facts.license}\n${facts.homepage ?? ""}\n\n${text}`;
}
