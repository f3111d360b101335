/** In the help of a node only its own method is open: Node-RED folds help by headings, and all of them are long. */

import { fillFields } from './help-fields.ts';

const HEADING = 'h3[id^="runs-help-"]';

/** The method of the node whose help is shown: the one being edited, or the one selected. */
function currentMethod(): string | undefined {
  const edited = $('#node-input-method').val();
  if (edited) return String(edited);
  return RED.view.selection().nodes?.find(({ type }) => type === 'openai-runs')?.method;
}

/** Folds and unfolds by pressing the headings, as a person would. */
function fold(panel: Element): void {
  const method = currentMethod();
  if (!method) return;
  for (const heading of panel.querySelectorAll<HTMLElement>(HEADING)) {
    const link = heading.querySelector<HTMLElement>('a');
    const isOpen = link?.classList.contains('expanded');
    const shouldBe = heading.id === `runs-help-${method}`;
    if (link && isOpen !== shouldBe) link.click();
  }
}

/** Folds the help whenever the editor has put it into its sidebar. */
export function foldHelp(): void {
  let shown: Element | null = null;
  const look = () => {
    const heading = document.querySelector(HEADING);
    if (!heading) {
      shown = null;
      return;
    }
    // The same help again is a person's to fold.
    const panel = heading.parentElement;
    if (!panel || panel === shown) return;
    shown = panel;
    // Headings hold what follows them together: the panel is the help's own.
    fillFields(panel.closest('.red-ui-help') ?? panel);
    fold(panel);
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}
