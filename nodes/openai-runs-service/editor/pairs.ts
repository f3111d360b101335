/** Lists of names and values: extra headers, extra query parameters. */
import { text } from './i18n.ts';

export interface Pair {
  name: string;
  value: string;
}

/** @param what names the list for screen readers: `headers` or `query` */
export function preparePairs(list: JQuery, what: 'headers' | 'query', pairs: Pair[]): void {
  list.editableList({
    addItem: (container: JQuery, index: number, pair: Partial<Pair>) => {
      const input = (part: 'name' | 'value') =>
        $('<input>', {
          type: 'text',
          class: `runs-pair-${part}`,
          placeholder: text(`pair.${part}`),
          'aria-label': `${text(`label.${what}`)} ${index + 1}: ${text(`pair.${part}`)}`,
        }).val(pair[part] ?? '');
      $('<div>', { class: 'runs-pair' }).append(input('name'), input('value')).appendTo(container);
    },
    removable: true,
    sortable: true,
  });
  for (const pair of pairs) list.editableList('addItem', pair);
}

/** The pairs that have a name. */
export function collectPairs(list: JQuery): Pair[] {
  return list
    .editableList('items')
    .toArray()
    .map((element) => ({
      name: String($(element).find('.runs-pair-name').val()).trim(),
      value: String($(element).find('.runs-pair-value').val()),
    }))
    .filter(({ name }) => name !== '');
}
