import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The process that is to be killed, in one file: it is started many times. */
export async function buildChild(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('kills-child.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['pg-native'],
    // PostgreSQL's client library is CommonJS.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}
