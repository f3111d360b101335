/** The JSON catalogues as flat lists of keys and texts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';

export const REFERENCE = 'en-US';
export const LANGUAGES = ['de', 'es-ES', 'fr', 'ja', 'ko', 'pt-BR', 'ru', 'zh-CN', 'zh-TW'] as const;
export const NODES = ['openai-runs', 'openai-runs-service', 'openai-runs-panel'] as const;
export type NodeName = (typeof NODES)[number];

type Tree = { [key: string]: string | Tree };

export function source(language: string, node: NodeName): string {
  return readFileSync(path.join(ROOT, 'locales', language, `${node}.json`), 'utf8');
}

/** Key below the node's own name → text, in the order of the file. */
export function catalogue(language: string, node: NodeName): Map<string, string> {
  const tree = JSON.parse(source(language, node)) as Tree;
  const top = Object.keys(tree);
  if (top.length !== 1 || top[0] !== node)
    throw new Error(`${language}/${node}.json holds ${top.join(', ')}`);
  return new Map(flat(tree[node] as Tree));
}

function flat(tree: Tree, above = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[above + key, value]] : flat(value, `${above}${key}.`),
  );
}

/** The `__name__` places of a text, each as often as it stands there. */
export function placeholders(text: string): string[] {
  return Array.from(text.matchAll(/__\w+?__/g), ([place]) => place).sort();
}
