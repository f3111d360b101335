/** The texts of a node's dialog, and what of a flow or a server may stand in them. */
import type { Translate } from '../texts.ts';

/**
 * A name, id or message from a flow or a server, safe wherever the editor shows it. Node-RED puts validation messages
 * into its pages as HTML in some places and as text in others, so escaping would show as `&lt;` in half of them:
 * the brackets that make a tag become ones that look like them.
 */
export function harmless(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}

/**
 * Makes the function that gives a node's texts, from any place in the editor (a node's own `_` is not there in every
 * callback).
 * @param node the node's type: texts stand below it in locales/<language>/<type>.json
 * @returns takes a key, and values for its `__name__` placeholders, which are made harmless
 */
export function textsOf<Key extends string>(node: string): Translate<Key> {
  return (key, values = {}) => {
    const safe = Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'number' ? value : harmless(String(value)),
    ]);
    return RED._(`@flowruns/node-red-openai-runs/${node}:${node}.${key}`, Object.fromEntries(safe));
  };
}
