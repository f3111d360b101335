/** The provider's models: offered where one is typed, and all of them as a list to pick from. */
import type { TestResult } from '../settings.ts';
import { entered, input, list } from './fields.ts';
import { text } from './i18n.ts';

const LIST = 'runs-service-models';
/** Pixels. */
const MENU_HEIGHT = 240;

export interface ModelSource {
  /** Whether the chosen provider has a list of models. */
  canAsk(): boolean;
  /** Asks in silence. */
  ask(): Promise<TestResult | undefined>;
  /** Asks, and says in the dialog what came of it. @returns the models */
  test(): Promise<string[]>;
}

/** A place where a model is typed. */
export const modelInput = (id: string): JQuery =>
  $('<input>', { type: 'text', class: 'runs-assistant-model', id, list: LIST });

/** The button beside such a place that shows all models. */
export function pickButton(): JQuery {
  const label = text('label.pickModel');
  const props = { type: 'button', class: 'red-ui-button runs-expand runs-pick-model', title: label };
  return $('<button>', props)
    .attr('aria-label', label)
    .append($('<i>', { class: 'fa fa-list-ul' }));
}

/** Asks for the models when one is about to be typed, once for each address, and when the list is wanted. */
export function prepareModels({ canAsk, ask, test }: ModelSource): void {
  $('<datalist>', { id: LIST }).appendTo(list('test').parent());
  input('model').attr('list', LIST).after(pickButton());
  let asked = '';
  const places = list('assistants').parent().add(input('model').parent());
  places.on('focusin', '#node-config-input-model, .runs-assistant-model', async () => {
    const address = entered('url');
    if (asked === address || !canAsk()) return;
    asked = address;
    setModels((await ask())?.models);
  });
  places.on('click', '.runs-pick-model', async ({ currentTarget }) => {
    // Pressed twice, it shows one list.
    const buttons = places.find('.runs-pick-model').prop('disabled', true);
    const models = await test();
    buttons.prop('disabled', false);
    if (models.length > 0) pick(models, $(currentTarget).prev('input'));
  });
}

/** @param models those that are offered from now on; none where they are not known */
export function setModels(models: readonly string[] = []): void {
  list('models')
    .empty()
    .append(models.map((value) => $('<option>', { value })));
}

function pick(models: readonly string[], into: JQuery): void {
  if (!into.is(':visible')) return;
  const menu = RED.popover.menu({
    options: models.map((value) => ({ value, label: value })),
    width: into.outerWidth() ?? 0,
    maxHeight: MENU_HEIGHT,
    onselect: ({ value }) => into.val(value).trigger('change').trigger('focus'),
  });
  menu.show({ target: into });
}
