#!/usr/bin/env node
/** The package's commands: `npx @flowruns/node-red-openai-runs serve …` and `… migrate …`. */
if (process.argv[2] === 'serve') await import('./serve/cli.ts');
else await import('../../engine/move/cli.ts');
