/** The calls of a run, and answering those that wait. */

import { waitingCalls } from '../../shared/waiting-calls.ts';
import { type Answer, answerForm, answerWords } from './answer-form.ts';
import { callCard } from './conversation.ts';
import { h } from './dom.ts';
import { duration, wholeSeconds } from './format.ts';
import { text } from './i18n.ts';
import { callsOf, cardOf } from './timeline.ts';
import type { RunDetail } from './types.ts';

/** What was typed and given while a run is shown, by the ids of its calls: drawn anew, all of it is still there. */
export class Drafts {
  readonly typed = new Map<string, string>();
  readonly given = new Map<string, Answer>();
}

/** How many calls a run waits for. */
export const countWaiting = ({ run }: RunDetail): number => waitingCalls(run)?.length ?? 0;

/** All calls; those that wait can be answered. @param answer takes the answers once all of them are there */
export function calls(
  detail: RunDetail,
  drafts: Drafts,
  answer: (answers: Record<string, Answer>) => void,
): HTMLElement {
  const body = h('div', { class: 'runs-body' });
  const marks = detail.row?.origin?.marks ?? [];
  const waiting = new Map((waitingCalls(detail.run) ?? []).map((call) => [call.id, call]));
  const made = callsOf(detail.steps);
  const known = new Set(made.map(({ call }) => call.id));
  // What a server asks about may be in no step yet.
  const asked = [...waiting.values()].filter(({ id }) => !known.has(id));
  for (const { call, step } of [...made, ...asked.map((one) => ({ call: cardOf(one), step: undefined }))]) {
    const given = drafts.given.get(call.id);
    const waits = call.function?.output == null ? waiting.get(call.id) : undefined;
    const output = waits && given !== undefined ? answerWords(given) : call.function?.output;
    const shown = { ...call, ...(waits && cardOf(waits, output)) };
    const card = callCard(shown, tookOf(call.id, marks, step), true);
    if (waits && given === undefined) {
      const form = answerForm(waits, {
        typed: drafts.typed.get(call.id),
        type: (words) => drafts.typed.set(call.id, words),
        send(output) {
          drafts.given.set(call.id, output);
          card.querySelector('.runs-output pre')?.replaceChildren(answerWords(output));
          form.remove();
          // A node takes one answer after the other; the API takes those of a round together.
          const all = [...waiting.keys()].map((id) => [id, drafts.given.get(id)] as const);
          if (detail.byNode) answer({ [call.id]: output });
          else if (all.every(([, one]) => one !== undefined))
            answer(Object.fromEntries(all) as Record<string, Answer>);
        },
      });
      card.append(form);
    }
    body.append(card);
  }
  if (body.childElementCount === 0) body.append(h('p', { class: 'runs-empty' }, text('detail.noCalls')));
  return body;
}

type Times = { created_at: number; completed_at: number | null };

/** How long a call has taken, as exactly as is known. */
function tookOf(id: string, marks: [number, string][], step: Times | undefined): string {
  const answered = marks.find(([, what]) => what === `answer:${id}`)?.[0];
  const asked = marks.findLast(([at, what]) => what === 'requires_action' && at <= (answered ?? 0))?.[0];
  if (answered && asked) return duration(answered - asked);
  return step?.completed_at ? wholeSeconds((step.completed_at - step.created_at) * 1000) : '';
}
