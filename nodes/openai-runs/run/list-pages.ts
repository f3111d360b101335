/** Lists: one page with its cursors, all items, or one message an item. */

import { RunsError } from '../../shared/errors.ts';
import type { RunsTranslate } from '../../shared/texts.ts';
import { expectPage } from '../follow/assert-response.ts';
import type { Page } from '../methods/method.ts';

export interface ListPage {
  object: 'list';
  data: { id: string }[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** A page as the API has it; the SDK drops the two cursors, which are the ids of the first and last item. */
export function asPage({ data, has_more }: Page): ListPage {
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: has_more ?? false,
  };
}

/**
 * Reads page after page.
 * @param most items at most
 * @returns the items, and whether the server had more
 * @throws RunsError when a page is no list, or the server begins anew
 */
export async function readAll(
  first: Page,
  most: number,
  t: RunsTranslate,
): Promise<{ items: { id: string }[]; capped: boolean }> {
  const items: { id: string }[] = [];
  let page = first;
  const cursors = new Set<string>();
  for (;;) {
    items.push(...expectPage(page, t).data);
    if (items.length >= most)
      return { items: items.slice(0, most), capped: items.length > most || page.hasNextPage() };
    if (!page.hasNextPage()) return { items, capped: false };
    const cursor = items.at(-1)?.id ?? '';
    if (cursors.has(cursor)) {
      const values = { count: items.length, cursor: cursor.slice(0, 80) };
      throw new RunsError(t('error.listRepeats', values), { code: 'unexpected_answer' });
    }
    cursors.add(cursor);
    page = await page.getNextPage();
  }
}
