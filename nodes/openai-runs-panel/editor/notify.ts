/** What is told or asked in the editor's own notifications. */
import { text } from './i18n.ts';

/** Asks, as the editor does, before something is gone for good. */
export function isSure(): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (is: boolean) => () => {
      asked.close();
      resolve(is);
    };
    const asked = RED.notify(text('detail.sure'), {
      modal: true,
      fixed: true,
      buttons: [
        { text: RED._('common.label.cancel'), click: answer(false) },
        { text: RED._('common.label.delete'), class: 'primary', click: answer(true) },
      ],
    });
  });
}

/** Node-RED shows notifications as HTML: brackets become ones that look like them. */
export function notify(message: string, type: 'error' | 'warning' = 'error'): void {
  RED.notify(message.replaceAll('<', '‹').replaceAll('>', '›'), { type });
}
