/** Cards for the calls that a run waits for: answered by a mock, or by the person who looks at them. */
import { answerForm } from '../calls.ts';
import { callCard } from '../conversation.ts';
import { h } from '../dom.ts';
import { pretty } from '../format.ts';
import { text } from '../i18n.ts';
import type { Mocks } from './mocks.ts';

export interface WaitingCall {
  id: string;
  type: string;
  function: { name: string; arguments: string };
}

/** Rounds that mocks may answer, one after the other, before a person is asked: they could go on for ever. */
const MOST_ROUNDS = 10;

export interface AnswerOptions {
  /** None where a node's own flow answers. */
  mocks: Mocks | undefined;
  /** How many rounds mocks alone have answered since a person has answered one. */
  mocked: number;
  /** A mock was made or switched off. */
  mocksChanged(): void;
  /** Takes each output as it is given. */
  answer(callId: string, output: string): void;
}

/** Shows calls that wait, and answers those that have a mock. @returns whether a person is asked for one */
export function askForAnswers(place: HTMLElement, calls: WaitingCall[], options: AnswerOptions): boolean {
  const { mocks, mocked, mocksChanged, answer } = options;
  let isAsked = false;
  const outputs = mocks?.all() ?? new Map<string, string>();
  for (const call of calls) {
    const { name } = call.function;
    const output = outputs.get(name);
    const card = callCard({ ...call, function: { ...call.function, output: null } }, undefined, true);
    place.append(card);
    if (mocks && output !== undefined && mocked < MOST_ROUNDS) {
      show(card, output);
      markMock(card, name, mocks, mocksChanged);
      answer(call.id, output);
      continue;
    }
    const form = answerForm(
      name,
      (given, isFixed) => {
        if (isFixed) {
          mocks?.set(name, given);
          mocksChanged();
        }
        show(card, given);
        form.remove();
        answer(call.id, given);
      },
      mocks && { output },
    );
    if (output !== undefined)
      form.prepend(h('p', { class: 'runs-dim' }, text('mock.often', { count: MOST_ROUNDS })));
    card.append(form);
    isAsked = true;
  }
  place.scrollTop = place.scrollHeight;
  return isAsked;
}

/** Takes away what can't be answered any more. */
export function closeForms(place: HTMLElement): void {
  for (const form of place.querySelectorAll('.runs-answer')) form.remove();
}

/** The answer in its card, which is folded then: what comes of it follows below. */
function show(card: HTMLDetailsElement, output: string): void {
  card.querySelector('.runs-output pre')?.replaceChildren(pretty(output));
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
