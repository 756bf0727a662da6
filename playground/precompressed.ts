import { gzipSync } from 'fflate';
import type { Plugin } from 'vite';

/** Below this a response fits into one packet anyway. */
const SMALLEST = 1024;

/**
 * Replaces every hashed text asset by its gzip form (`x.js` becomes `x.js.gz`), which is what the
 * binary embeds and sends. Only the small form is kept: it is a third of the size, and there is no
 * browser that does not take it. The compressor is a pinned library and not Node's own zlib, whose
 * output differs between Node versions and processors, so that two builds are byte for byte equal.
 */
export function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [name, output] of Object.entries(bundle)) {
          if (!/\.(css|js|svg)$/.test(name)) continue;
          const text = output.type === 'chunk' ? output.code : output.source;
          const raw = typeof text === 'string' ? new TextEncoder().encode(text) : text;
          if (raw.length < SMALLEST) continue;
          delete bundle[name];
          this.emitFile({
            type: 'asset',
            fileName: `${name}.gz`,
            source: gzipSync(raw, { level: 9, mtime: 0 }),
          });
        }
      },
    },
  };
}
