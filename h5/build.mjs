// Builds h5/static: bundles, hashes and lists in manifest.json all that the pages load.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import esbuild from "esbuild";
import postcss from "postcss";
import { PurgeCSS } from "purgecss";

const ROOT = dirname(fileURLToPath(import.meta.url));
const STATIC = join(ROOT, "static");
const AUDIENCES = ["voter", "staff"];
// The oldest engine of WeChat's web view that is still met in villages.
const OLDEST_ENGINES = ["chrome53", "safari10"];
// Only WeUI is purged: our own styles are all used, some under names that templates put together.
const OWN_SELECTORS = [/^(?!weui)/];
const ROOT_FONT_PX = 16;

// WeUI gives font sizes in pixels; the elder mode and the reader's own text size need them relative.
const relativeFontSizes = {
  postcssPlugin: "relative-font-sizes",
  Declaration: {
    "font-size": (declaration) => {
      declaration.value = declaration.value.replace(
        /^(\d+(?:\.\d+)?)px$/,
        (_, pixels) => `${pixels / ROOT_FONT_PX}rem`,
      );
    },
  },
};

// The pages are light only, so WeUI's dark theme would be dead weight.
const withoutDarkTheme = {
  postcssPlugin: "without-dark-theme",
  AtRule: {
    media: (rule) => {
      if (rule.params.includes("prefers-color-scheme")) rule.remove();
    },
  },
  Rule: (rule) => {
    if (rule.selector.includes("data-weui-theme=dark") || rule.selector.includes('data-weui-theme="dark"')) {
      rule.remove();
    }
  },
};

async function bundleScript(audience) {
  const result = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [`scripts/${audience}/main.ts`],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: "es2015",
    charset: "utf8",
  });
  return result.outputFiles[0].contents;
}

async function bundleStyle(audience) {
  const bundled = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [`styles/${audience}.css`],
    bundle: true,
    write: false,
    target: OLDEST_ENGINES,
    legalComments: "none",
  });
  const themed = await postcss([withoutDarkTheme, relativeFontSizes]).process(bundled.outputFiles[0].text, {
    from: undefined,
  });
  const [purged] = await new PurgeCSS().purge({
    content: [`${ROOT}/templates/${audience}/**/*.html`, `${ROOT}/scripts/${audience}/**/*.ts`],
    css: [{ raw: themed.css }],
    safelist: OWN_SELECTORS,
    variables: true,
  });
  const options = { loader: "css", minify: true, target: OLDEST_ENGINES };
  const minified = await esbuild.transform(purged.css, options);
  return Buffer.from(`/* Contains parts of WeUI, copyright Tencent, MIT licence. */\n${minified.code}`);
}

async function publish(name, contents) {
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 10);
  const hashedName = name.replace(/(\.\w+)$/, `-${hash}$1`);
  await writeFile(join(STATIC, hashedName), contents);
  await writeFile(join(STATIC, `${hashedName}.gz`), gzipSync(contents, { level: 9 }));
  return [name, hashedName];
}

async function contents() {
  const files = [["rapidoc-min.js", await readFile(join(ROOT, "node_modules/rapidoc/dist/rapidoc-min.js"))]];
  for (const audience of AUDIENCES) {
    files.push([`${audience}.css`, await bundleStyle(audience)]);
    files.push([`${audience}.js`, await bundleScript(audience)]);
  }
  return files;
}

async function eraseStale(manifest) {
  const built = Object.values(manifest).flatMap((name) => [name, `${name}.gz`]);
  const wanted = new Set(["manifest.json", ...built]);
  const stale = (await readdir(STATIC)).filter((name) => !wanted.has(name));
  await Promise.all(stale.map((name) => rm(join(STATIC, name))));
}

const files = await contents();
await mkdir(STATIC, { recursive: true });
const manifest = Object.fromEntries(await Promise.all(files.map(([name, data]) => publish(name, data))));
await writeFile(join(STATIC, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await eraseStale(manifest);
