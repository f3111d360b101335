/** Cards for the calls that a run waits for: answered by a mock, or by the person who looks at them. */

import type { ToolCall } from '../../../shared/waiting-calls.ts';
import { type Answer, answerForm, answerWords } from '../answer-form.ts';
import { callCard } from '../conversation.ts';
import { h } from '../dom.ts';
import { text } from '../i18n.ts';
import { type Call, cardOf } from '../timeline.ts';
import type { Mocks } from './mocks.ts';

/** Rounds that mocks may answer, one after the other, before a person is asked: they could go on for ever. */
const MOST_ROUNDS = 10;

export interface AnswerOptions {
  /** None where a node's own flow answers. */
  mocks: Mocks | undefined;
  /** How many rounds mocks alone have answered since a person has answered one. */
  mocked: number;
  /** A mock was made or switched off. */
  mocksChanged(): void;
  /** Takes each answer as it is given. */
  answer(callId: string, answer: Answer): void;
}

/** Shows calls that wait, and answers those that have a mock. @returns whether a person is asked for one */
export function askForAnswers(place: HTMLElement, calls: ToolCall[], options: AnswerOptions): boolean {
  const { mocked, mocksChanged, answer } = options;
  let isAsked = false;
  const outputs = options.mocks?.all() ?? new Map<string, string>();
  for (const call of calls) {
    const { name } = call;
    // Whether a server may act, a person says each time.
    const mocks = call.type === 'function' ? options.mocks : undefined;
    const output = mocks && outputs.get(name);
    const card = callCard(cardOf(call), '', true);
    card.dataset.call = call.id;
    place.append(card);
    if (mocks && output !== undefined && mocked < MOST_ROUNDS) {
      show(card, output);
      markMock(card, name, mocks, mocksChanged);
      answer(call.id, output);
      continue;
    }
    const form = answerForm(call, {
      typed: output,
      canFix: mocks !== undefined,
      send(given, isFixed) {
        if (isFixed) {
          mocks?.set(name, String(given));
          mocksChanged();
        }
        show(card, given);
        form.remove();
        answer(call.id, given);
      },
    });
    if (output !== undefined)
      form.prepend(h('p', { class: 'runs-dim' }, text('mock.often', { count: MOST_ROUNDS })));
    card.append(form);
    isAsked = true;
  }
  place.scrollTop = place.scrollHeight;
  return isAsked;
}

/** Puts answers that were given elsewhere in place of the forms that ask for them. */
export function takeAnswers(place: HTMLElement, calls: Call[]): void {
  for (const form of place.querySelectorAll('.runs-answer')) {
    const card = form.closest<HTMLDetailsElement>('.runs-call');
    const output = calls.find(({ id }) => id === card?.dataset.call)?.function?.output;
    if (!card || output == null) continue;
    show(card, output);
    form.remove();
  }
}

/** Takes away what can't be answered any more. */
export function closeForms(place: HTMLElement): void {
  for (const form of place.querySelectorAll('.runs-answer')) form.remove();
}

/** The answer in its card, which is folded then: what comes of it follows below. */
function show(card: HTMLDetailsElement, answer: Answer): void {
  card.querySelector('.runs-output pre')?.replaceChildren(answerWords(answer));
  card.open = false;
}

/** Says that nobody has answered, and takes that back for the next time. */
function markMock(card: HTMLElement, name: string, mocks: Mocks, changed: () => void): void {
  card.querySelector('summary')?.append(h('span', { class: 'runs-mark' }, text('mock.mark')));
  const off = h(
    'button',
    {
      type: 'button',
      class: 'red-ui-button red-ui-button-small',
      click: () => {
        mocks.set(name, undefined);
        off.remove();
        changed();
      },
    },
    text('mock.off', { name }),
  );
  card.append(off);
}
