/** The texts of the tab. Whatever a run, a flow or a server says is put into the page as text, never as HTML. */
import type { PanelText } from '../../shared/texts.ts';

/** A text in the editor's language. @param values fill `__name__` placeholders, as they are */
export function text(key: PanelText, values: Record<string, unknown> = {}): string {
  const raw = RED._(`@flowruns/node-red-openai-runs/openai-runs-panel:openai-runs-panel.${key}`, {
    interpolation: { escapeValue: false },
    ...Object.fromEntries(Object.keys(values).map((name) => [name, `__${name}__`])),
  });
  // Filled in here, so that nothing in a value is taken for a placeholder or a reference.
  return raw.replace(/__(\w+?)__/g, (place, name) => (name in values ? String(values[name]) : place));
}
