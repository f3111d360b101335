/** The dialog's fields. */

export const input = (name: string) => $(`#node-config-input-${name}`);

/** "_ADD_" is the editor's own entry of a list of config nodes: none is chosen. */
export const entered = (name: string) => String(input(name).val() ?? '').replace(/^_ADD_$/, '');

/** What is not saved under its own name. */
export const list = (name: string) => $(`#runs-service-${name}`);
