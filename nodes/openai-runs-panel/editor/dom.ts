/** Elements made of texts and of each other; there is no way for HTML in a text to become an element. */

type Child = Node | string | number | undefined | false | null;
type Props = Record<string, unknown>;

/**
 * Makes an element.
 * @param props attributes; functions become listeners of the event they are named for, `class` and `style` texts
 */
export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  return fill(document.createElement(tag), props, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/** The same for SVG. */
export function s(tag: string, props: Props = {}, ...children: Child[]): SVGElement {
  return fill(document.createElementNS(SVG, tag) as SVGElement, props, children);
}

function fill<E extends Element>(element: E, props: Props, children: Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false || value === null) continue;
    if (typeof value === 'function') element.addEventListener(name, value as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) {
    if (child !== undefined && child !== false && child !== null) element.append(child as Node | string);
  }
  return element;
}

/** Puts children in place of those that are there. */
export function set(element: Element, ...children: Child[]): void {
  element.replaceChildren(
    ...children.filter(
      (child): child is Node | string => child !== undefined && child !== false && child !== null,
    ),
  );
}

/** A button that shows an icon; its name is for a tooltip and for those who can't see it. */
export function iconButton(
  icon: string,
  name: string,
  click: () => void,
  more: Props = {},
): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: 'red-ui-button red-ui-button-small',
      title: name,
      'aria-label': name,
      click,
      ...more,
    },
    h('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
  );
}

/** A choice; what is chosen is read from its `value`. */
export function select(
  name: string,
  options: readonly (readonly [value: string, label: string])[],
  change: () => void,
): HTMLSelectElement {
  const element = h('select', { 'aria-label': name, title: name, change });
  setOptions(element, options);
  return element;
}

/** Offers other options; what was chosen stays chosen if it is still there. */
export function setOptions(
  element: HTMLSelectElement,
  options: readonly (readonly [value: string, label: string])[],
): void {
  const { value } = element;
  set(element, ...options.map(([option, label]) => h('option', { value: option }, label)));
  if (options.some(([option]) => option === value)) element.value = value;
}

/** Whether a button of the mouse or a finger is down. */
let isPressed = false;
addEventListener('pointerdown', () => (isPressed = true), true);
// Where a menu opens, the browser takes the release.
for (const end of ['pointerup', 'pointercancel', 'contextmenu'])
  addEventListener(end, () => setTimeout(letGo), true);
addEventListener('blur', letGo);

function letGo(): void {
  isPressed = false;
}

/**
 * Waits until nothing is pressed: what is drawn anew between press and release gets no click.
 * To be awaited before news replace or move what can be pressed.
 */
export async function released(): Promise<void> {
  while (isPressed) await new Promise((resolve) => setTimeout(resolve, 30));
}
