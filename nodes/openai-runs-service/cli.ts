#!/usr/bin/env node
/** The package's commands: `npx @flowruns/node-red-openai-runs serve …` and `… migrate …`. */
if (process.argv[2] === 'migrate') void import('../../engine/move/cli.ts');
else void import('./serve/cli.ts');
