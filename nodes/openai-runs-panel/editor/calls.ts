/** The calls of a run, and answering those that wait. */
import { callCard } from './conversation.ts';
import { h } from './dom.ts';
import { text } from './i18n.ts';
import { callsOf } from './timeline.ts';
import type { RunDetail } from './types.ts';

/**
 * A place for the answer of a call that waits.
 * @param send takes the output, and whether the same is to be answered from now on
 * @param mock offers that; what is answered so far
 */
export function answerForm(
  name: string,
  send: (output: string, isFixed: boolean) => void,
  mock?: { output: string | undefined },
): HTMLElement {
  const words = h('textarea', {
    rows: 2,
    'aria-label': `${text('call.answer')}: ${name}`,
    placeholder: text('call.answer'),
  });
  words.value = mock?.output ?? '';
  const fix = h('input', { type: 'checkbox' });
  const button = (label: string, output: () => string, more = '') =>
    h(
      'button',
      {
        type: 'button',
        class: `red-ui-button red-ui-button-small ${more}`,
        click: () => send(output(), fix.checked),
      },
      label,
    );
  return h(
    'div',
    { class: 'runs-answer' },
    words,
    mock && h('label', { class: 'runs-check' }, fix, ` ${text('mock.fix')}`),
    h(
      'div',
      {},
      button(text('call.send'), () => words.value),
      button(text('call.approve'), () => 'true', 'runs-yes'),
      button(text('call.decline'), () => 'false', 'runs-no'),
    ),
  );
}

/** Calls that a run waits for. */
export function openCalls({ run }: RunDetail): { id: string; name: string }[] {
  const calls = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  return run.status === 'requires_action' ? calls.map(({ id, function: { name } }) => ({ id, name })) : [];
}

/** All calls; those that wait can be answered. @param answer takes the outputs once all of them are there */
export function calls(detail: RunDetail, answer: (outputs: Record<string, string>) => void): HTMLElement {
  const body = h('div', { class: 'runs-body' });
  const marks = detail.row?.origin?.marks ?? [];
  const waiting = new Map(openCalls(detail).map(({ id, name }) => [id, name]));
  const outputs: Record<string, string> = {};
  for (const { call, step } of callsOf(detail.steps)) {
    const answered = marks.find(([, what]) => what === `answer:${call.id}`)?.[0];
    const asked = marks.findLast(([at, what]) => what === 'requires_action' && at <= (answered ?? 0))?.[0];
    const seconds = step.completed_at ? (step.completed_at - step.created_at) * 1000 : undefined;
    const took = answered && asked ? answered - asked : seconds;
    const isWaiting = waiting.has(call.id) && call.function?.output == null;
    const card = callCard(call, took, true);
    if (isWaiting) {
      const form = answerForm(call.function?.name ?? '', (output) => {
        outputs[call.id] = output;
        form.remove();
        // A node takes one answer after the other; the API takes those of a round together.
        const byNode = detail.row?.origin && detail.row.origin.node !== 'panel';
        if (byNode) answer({ [call.id]: output });
        else if (Object.keys(outputs).length === waiting.size) answer(outputs);
      });
      card.append(form);
    }
    body.append(card);
  }
  if (body.childElementCount === 0) body.append(h('p', { class: 'runs-empty' }, text('detail.noCalls')));
  return body;
}
