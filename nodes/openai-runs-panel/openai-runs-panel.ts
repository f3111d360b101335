/** The runtime part of the editor's tab "Runs": its routes. Nothing is loaded or asked before the tab is opened. */
import path from 'node:path';
import type { NodeAPI } from 'node-red';
import { addActions } from './runtime/actions.ts';
import { addAssistants } from './runtime/assistants.ts';
import { addChat } from './runtime/chat.ts';
import { addDetail } from './runtime/detail.ts';
import { addLists } from './runtime/lists.ts';
import { Panel } from './runtime/panel.ts';

export default function register(RED: NodeAPI): void {
  const panel = new Panel(RED);
  panel.get('/panel.js', 'read', (_request, response) => {
    response.sendFile(path.join(__dirname, 'panel.js'));
  });
  addLists(panel);
  addDetail(panel);
  addAssistants(panel);
  addActions(panel);
  addChat(panel);
}
