/** What the rehearsal model says; who says it stands first, unless a format leaves no room for it. */

import { isObject } from '../../domain/is-object.ts';
import type { Turn, TurnItem } from '../model.ts';
import { makeValue } from './make.ts';
import type { Schema } from './schema.ts';
import { clausesOf, objectOf } from './words.ts';

const WHO = '[rehearsal]';
const WHAT = '(Fixed rules answer here, not a language model.)';
const LONGEST_QUOTE = 400;

export interface AnsweredRound {
  /** What the user has said since the assistant's last message. */
  said: string;
  pictures: number;
  /** Calls made and outputs given since then. */
  calls: Extract<TurnItem, { type: 'call' }>[];
  outputs: Extract<TurnItem, { type: 'output' }>[];
}

/** The part of the conversation that this turn answers: from the user's latest messages on. */
export function currentRound({ items }: Turn): AnsweredRound {
  const isMessage = (item: TurnItem, role: string) => item.type === 'message' && item.role === role;
  const last = items.findLastIndex((item) => isMessage(item, 'user'));
  const first = items.slice(0, last + 1).findLastIndex((item) => isMessage(item, 'assistant')) + 1;
  const parts = items
    .slice(first, last + 1)
    .flatMap((item) => (item.type === 'message' && item.role === 'user' ? item.content : []));
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const since = items.slice(last + 1);
  return {
    said: texts.join('\n'),
    pictures: parts.length - texts.length,
    calls: since.filter((item) => item.type === 'call'),
    outputs: since.filter((item) => item.type === 'output'),
  };
}

/** The whole reply, as text or as JSON where the format asks for it. */
export function reply(turn: Turn, round: AnsweredRound): string {
  const { responseFormat } = turn;
  if (isObject(responseFormat) && responseFormat.type === 'json_schema')
    return JSON.stringify(instance(responseFormat.json_schema.schema ?? {}, round));
  const text = [WHO, ...answers(round), ...limits(turn, round)].join(' ');
  return isObject(responseFormat) && responseFormat.type === 'json_object'
    ? JSON.stringify({ reply: text })
    : text;
}

const short = (text: string) => (text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);

function answers({ said, calls, outputs }: AnsweredRound): string[] {
  // where a tool has answered, nobody takes the words for a model's
  if (outputs.length === 0) return [said ? `You said: ${short(said)}` : 'You said nothing.', WHAT];
  return outputs.map(({ id, output }) => {
    const name = calls.find((call) => call.id === id)?.name ?? 'A tool';
    return `${name} answered: ${short(output) || '(nothing)'}${/[.!?}\]…]$/.test(output) ? '' : '.'}`;
  });
}

function limits({ tools }: Turn, { pictures }: AnsweredRound): string[] {
  const hosted = tools.filter(({ type }) => type !== 'function').map(({ type }) => type);
  return [
    ...(hosted.length > 0
      ? [`(${hosted.join(' and ')} ${hosted.length > 1 ? 'need' : 'needs'} a real model.)`]
      : []),
    ...(pictures > 0 ? ['(Pictures and files were not looked at.)'] : []),
  ];
}

/** A value for a response format's schema, from what was said and what tools have answered. */
function instance(schema: Schema, { said, outputs }: AnsweredRound): unknown {
  const words = clausesOf(said).flat();
  const texts = [
    ...words.flatMap(({ kind, text }) => (kind === 'json' ? [text] : [])),
    ...outputs.map(({ output }) => output),
  ];
  return makeValue(schema, { words, toolWords: [], known: Object.assign({}, ...texts.map(objectOf)) });
}
