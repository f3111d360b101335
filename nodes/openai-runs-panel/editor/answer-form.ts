/** A place for the answer of a call that waits. */
import type { ToolCall } from '../../shared/waiting-calls.ts';
import type { Answer } from '../runtime/answers.ts';
import { h } from './dom.ts';
import { pretty } from './format.ts';
import { text } from './i18n.ts';

export type { Answer };

export interface AnswerFormOptions {
  /** What stands there to begin with. */
  typed?: string | undefined;
  /** Hears what is typed. */
  type?(words: string): void;
  /** Whether the same can be answered from now on. */
  canFix?: boolean;
  /** Takes the answer, and whether the same is to be answered from now on. */
  send(answer: Answer, isFixed: boolean): void;
}

/** Words, or yes and no, for a function; yes and no alone for what a server's own tool would do. */
export function answerForm(call: ToolCall, options: AnswerFormOptions): HTMLElement {
  return call.type === 'approval' ? approvalForm(call, options) : outputForm(call, options);
}

/** An answer as it is shown once it is given. */
export function answerWords(answer: Answer): string {
  return typeof answer === 'string' ? pretty(answer) : text(answer ? 'call.approved' : 'call.declined');
}

function approvalForm({ name, server }: ToolCall, { send }: AnswerFormOptions): HTMLElement {
  const asks = text('call.asks', { server: server || '–' });
  return h(
    'div',
    { class: 'runs-answer', role: 'group', 'aria-label': `${name}: ${asks}` },
    h('p', { class: 'runs-told' }, asks),
    h(
      'div',
      {},
      button(text('call.approve'), () => send(true, false), 'runs-yes'),
      button(text('call.decline'), () => send(false, false), 'runs-no'),
    ),
  );
}

function outputForm({ name }: ToolCall, { typed, type, canFix, send }: AnswerFormOptions): HTMLElement {
  const words = h('textarea', {
    rows: 2,
    'aria-label': `${text('call.answer')}: ${name}`,
    placeholder: text('call.answer'),
    input: () => type?.(words.value),
  });
  words.value = typed ?? '';
  const fix = h('input', { type: 'checkbox' });
  const give = (answer: string) => send(answer, fix.checked);
  return h(
    'div',
    { class: 'runs-answer' },
    words,
    canFix && h('label', { class: 'runs-check' }, fix, ` ${text('mock.fix')}`),
    h(
      'div',
      {},
      button(text('call.send'), () => give(words.value)),
      button(text('call.approve'), () => give('true'), 'runs-yes'),
      button(text('call.decline'), () => give('false'), 'runs-no'),
    ),
  );
}

const button = (label: string, click: () => void, more = '') =>
  h('button', { type: 'button', class: `red-ui-button red-ui-button-small ${more}`, click }, label);
