/** Puts the tab "Runs" into the sidebar; all that is in it is loaded when it is first opened. */
import { text } from './editor/i18n.ts';

const ID = 'openai-runs-panel';
const ACTION = 'openai-runs:show-runs';

/** What panel.js leaves for the tab. */
interface PanelWindow extends Window {
  openaiRunsPanel?: { open(content: HTMLElement): void };
}

RED.plugins.registerPlugin(ID, {
  onadd() {
    const content = document.createElement('div');
    content.className = 'runs-panel red-ui-sidebar-tab-content';
    let loading: unknown;
    const open = () => (window as PanelWindow).openaiRunsPanel?.open(content);
    RED.sidebar.addTab({
      id: ID,
      label: text('tab'),
      name: text('tab'),
      iconClass: 'fa fa-comments-o',
      content,
      action: ACTION,
      onchange() {
        // Through the editor's own requests, which know who is logged in.
        loading ??= $.ajax({ url: 'openai-runs-panel/panel.js', dataType: 'script', cache: true });
        (loading as JQuery.Promise<unknown>).then(open, () => {
          loading = undefined;
        });
      },
    });
    RED.actions.add(ACTION, () => RED.sidebar.show(ID), { label: text('show') });
  },
});
