/** The help says each field once; here it comes to every method that has it, as the help is shown. */

/** @param panel what the editor shows the help in */
export function fillFields(panel: Element): void {
  const said = panel.querySelector('#runs-help-fields');
  if (!said) return;
  const names = said.querySelectorAll('dt');
  const texts = said.querySelectorAll('dd');
  for (const list of panel.querySelectorAll<HTMLElement>('dl[data-fields]')) {
    // `3! 7`: the fourth field, which is required, and the eighth.
    for (const place of (list.dataset.fields ?? '').split(' ').filter(Boolean)) {
      const name = names[Number.parseInt(place, 10)]?.cloneNode(true) as Element | undefined;
      const text = texts[Number.parseInt(place, 10)]?.cloneNode(true);
      if (!name || !text) continue;
      name.classList.toggle('optional', !place.endsWith('!'));
      list.append(name, text);
    }
    list.removeAttribute('data-fields');
  }
  said.remove();
}
