/** The dialog's fields, and what they ask the runtime. */

export const input = (name: string) => $(`#node-config-input-${name}`);

/** "_ADD_" is the editor's own entry of a list of config nodes: none is chosen. */
export const entered = (name: string) => String(input(name).val() ?? '').replace(/^_ADD_$/, '');

/** What is not saved under its own name. */
export const list = (name: string) => $(`#runs-service-${name}`);

/** Asks the runtime; undefined where it does not answer or may not. */
export async function ask<Answer>(id: string, what: string, body: object): Promise<Answer | undefined> {
  try {
    return await $.ajax({
      url: `openai-runs-service/${encodeURIComponent(id)}/${what}`,
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    });
  } catch {
    return undefined;
  }
}
