import { defineConfig } from 'vite';
import react from '@vitejs/plugin-react';
import { precompressed } from './precompressed';

// The gateway to talk to while developing (`npm run dev`); a build knows no address at all.
const gateway = process.env.TANDEM_URL ?? 'http://127.0.0.1:4000';

export default defineConfig({
  base: '/playground/',
  plugins: [react(), precompressed()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // Monaco is large and loads in parts; the warning would be noise on every build.
    chunkSizeWarningLimit: 4096,
    // The notices that the bundled libraries' licences ask for.
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // React's compiler marks modules with a directive that means nothing after it has run.
      checks: { moduleLevelDirective: false },
      output: {
        // Libraries apart from our own few lines: an edited example changes one small file, and
        // browsers (and this repository) keep the rest.
        codeSplitting: {
          groups: [{ name: 'libraries', test: /node_modules/, tags: ['$initial'] }],
        },
      },
    },
  },
  server: {
    proxy: { '/graphql': { target: gateway, ws: true } },
  },
});
