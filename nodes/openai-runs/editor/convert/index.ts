/** The command "Convert OpenAI API nodes…": in the list of commands and in the menu Edit. */
import { text } from '../i18n.ts';
import { openConverter } from './dialog.ts';

const ACTION = 'openai-runs:convert-openai-api-nodes';
const ITEM = 'openai-runs-menu-convert';

/** Makes the command known to the editor; once more where the package was updated under an open editor. */
export function offerConversion(): void {
  RED.actions.remove(ACTION);
  RED.actions.add(ACTION, openConverter, { label: text('convert.action') });
  if (document.getElementById(ITEM)) return;
  RED.menu.addItem('menu-item-edit-menu', null);
  RED.menu.addItem('menu-item-edit-menu', {
    id: ITEM,
    label: text('convert.action'),
    onselect: ACTION,
  });
}
