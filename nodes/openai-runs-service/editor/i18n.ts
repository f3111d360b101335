/** The texts of this node, from any place in the editor (a node's own `_` is not there in every callback). */
const NAMESPACE = '@flowruns/node-red-openai-runs/openai-runs-service';

/**
 * The text of a key below "openai-runs-service" in locales/<language>/openai-runs-service.json.
 * @param values fill the `__name__` placeholders
 */
export function text(key: string, values?: Record<string, unknown>): string {
  return RED._(`${NAMESPACE}:openai-runs-service.${key}`, values);
}
