/** Pictures in messages. Only those that a message holds itself are shown: an address elsewhere is not asked for. */
import { h } from './dom.ts';
import { text } from './i18n.ts';

const HELD = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;

/** Whether an address is a picture that can be shown without asking anybody. */
export const isHeld = (url: string): boolean => HELD.test(url);

/** A small picture that a press makes large, and small again; its name where it is not held. */
export function thumbnail(url: string, name: string): HTMLElement {
  if (!isHeld(url)) return h('span', { class: 'runs-dim' }, `[${text('talk.picture')}: ${name}]`);
  const label = `${name}: ${text('picture.larger')}`;
  const button = h(
    'button',
    {
      type: 'button',
      class: 'runs-thumbnail',
      'aria-label': label,
      title: label,
      'aria-expanded': 'false',
      click: () => button.setAttribute('aria-expanded', String(button.classList.toggle('runs-large'))),
    },
    h('img', { src: url, alt: '' }),
  );
  return button;
}
