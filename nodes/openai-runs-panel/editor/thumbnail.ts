/** Pictures in messages. Only those that a message holds itself are shown: an address elsewhere is not asked for. */
import { isHeld, isServed } from '../../shared/held-picture.ts';
import { getPicture } from './api.ts';
import { h } from './dom.ts';
import { text } from './i18n.ts';

/** Whether an address is a picture that can be shown without asking anybody else. */
export const canShow = (url: string): boolean => isHeld(url) || isServed(url);

/** A small picture that a press makes large, and small again; its name where it can't be shown. */
export function thumbnail(url: string, name: string): HTMLElement {
  if (!canShow(url)) return nameOf(name);
  const label = `${name}: ${text('picture.larger')}`;
  const image = h('img', { alt: '' });
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
    image,
  );
  if (isHeld(url)) image.src = url;
  else
    whenSeen(button, () =>
      load(image, url).catch((error: Error) => button.replaceWith(nameOf(`${name} (${error.message})`))),
    );
  return button;
}

const nameOf = (name: string) => h('span', { class: 'runs-dim' }, `[${text('talk.picture')}: ${name}]`);

function whenSeen(element: HTMLElement, then: () => void): void {
  const observer = new IntersectionObserver((seen) => {
    if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    then();
  });
  observer.observe(element);
}

async function load(image: HTMLImageElement, url: string): Promise<void> {
  const address = URL.createObjectURL(await getPicture(url));
  const letGo = () => URL.revokeObjectURL(address);
  image.addEventListener('load', letGo);
  image.addEventListener('error', letGo);
  image.src = address;
}
