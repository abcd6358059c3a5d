import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

// tfjs-core registers its gradients in files that Node can neither import nor require (extensionless ESM), so the build
// bundles them. They import the rest of tfjs-core by relative paths, and would bring half of it along a second time.
// This plugin points every such import that tfjs-core's main entry can serve to that entry, which stays external.

const tf = createRequire(import.meta.url)('@tensorflow/tfjs-core') as Record<string, Record<string, unknown>>;
const GRADIENTS = /@tensorflow[\\/]tfjs-core[\\/]dist[\\/]/;

/** Internal modules that the main entry exports as a namespace. All others are looked up among its own names. */
const namespaces: Record<string, string> = {
  axis_util: 'backend_util',
  backend_util: 'backend_util',
  broadcast_util: 'broadcast_util',
  conv_util: 'backend_util',
  selu_util: 'backend_util',
  slice_util: 'slice_util',
  util: 'util',
  util_base: 'util',
};

/** What the plugin uses of esbuild's build object. */
interface Build {
  onResolve(
    options: { filter: RegExp },
    find: (args: {
      path: string;
      importer: string;
      resolveDir: string;
    }) => { path: string; namespace: string } | undefined,
  ): void;
  onLoad(
    options: { filter: RegExp; namespace: string },
    load: (args: { path: string }) => { contents: string; resolveDir: string },
  ): void;
}

export const tfjsMainEntry = {
  name: 'tfjs-main-entry',
  setup(build: Build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, importer, resolveDir }) => {
      if (!GRADIENTS.test(importer)) return undefined;
      const file = `${join(resolveDir, path).replace(/\.js$/, '')}.js`;
      return forward(file) === null ? undefined : { path: file, namespace: 'tfjs-main-entry' };
    });
    build.onLoad({ filter: /./, namespace: 'tfjs-main-entry' }, ({ path }) => ({
      contents: forward(path)!,
      resolveDir: import.meta.dirname,
    }));
  },
};

/** A module with the same exports as the file, taken from the main entry; `null` where that lacks one of them. */
function forward(file: string): string | null {
  const module = basename(file, '.js');
  // The engine is one per process, whoever asks for it.
  if (module === 'engine')
    return "import { engine } from '@tensorflow/tfjs-core'; export const ENGINE = engine();";
  const namespace = namespaces[module];
  if (namespace) {
    const constants = Object.keys(tf[namespace]!).map(
      (name) => `export const ${name} = /* @__PURE__ */ (() => ${namespace}.${name})();`,
    );
    return `import { ${namespace} } from '@tensorflow/tfjs-core';\n${constants.join('\n')}`;
  }
  const names = exportsOf(readFileSync(file, 'utf8'));
  const served = names.length > 0 && names.every((name) => name in tf);
  return served ? `export { ${names.join(', ')} } from '@tensorflow/tfjs-core';` : null;
}

/** Names that a file exports by itself. */
function exportsOf(code: string): string[] {
  const declared = [...code.matchAll(/^export (?:async )?(?:const|let|function|class) (\w+)/gm)].map(
    ([, name]) => name!,
  );
  const listed = [...code.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) =>
    list!.split(',').map(
      (item) =>
        item
          .trim()
          .split(/\s+as\s+/)
          .at(-1)!,
    ),
  );
  return [...declared, ...listed].filter(Boolean);
}
