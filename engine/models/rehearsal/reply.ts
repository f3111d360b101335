/** What the rehearsal model says: always that it is no language model, unless a format leaves no room for it. */
import type { ResponseFormat, Turn, TurnItem } from '../model.ts';
import { fill } from './fill.ts';
import { isRecord } from './schema.ts';
import { Reading } from './words.ts';

const WHO = 'This is the rehearsal model, not a language model.';
const LONGEST_QUOTE = 400;

export interface Round {
  /** What the user has said since the assistant's last message. */
  said: string;
  pictures: number;
  /** Calls made and outputs given since then. */
  calls: Extract<TurnItem, { type: 'call' }>[];
  outputs: Extract<TurnItem, { type: 'output' }>[];
}

/** The part of the conversation that this turn answers: from the user's latest messages on. */
export function currentRound({ items }: Turn): Round {
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
export function reply(turn: Turn, round: Round): string {
  const { responseFormat } = turn;
  if (isRecord(responseFormat) && responseFormat.type === 'json_schema')
    return JSON.stringify(instance(responseFormat, round));
  const text = [WHO, ...answers(round), ...limits(turn, round)].join(' ');
  return isRecord(responseFormat) && responseFormat.type === 'json_object'
    ? JSON.stringify({ reply: text })
    : text;
}

const short = (text: string) => (text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);

function answers({ said, calls, outputs }: Round): string[] {
  if (outputs.length === 0) return said ? [`You said: ${short(said)}`] : ['You said nothing.'];
  return outputs.map(({ id, output }) => {
    const name = calls.find((call) => call.id === id)?.name ?? 'A tool';
    return `${name} answered: ${short(output) || '(nothing)'}${/[.!?}\]…]$/.test(output) ? '' : '.'}`;
  });
}

function limits({ tools }: Turn, { pictures }: Round): string[] {
  const hosted = tools.filter(({ type }) => type !== 'function').map(({ type }) => type);
  return [
    ...(hosted.length > 0
      ? [`(${hosted.join(' and ')} ${hosted.length > 1 ? 'need' : 'needs'} a real model.)`]
      : []),
    ...(pictures > 0 ? ['(Pictures and files were not looked at.)'] : []),
  ];
}

function instance(
  format: Extract<ResponseFormat, { type: 'json_schema' }>,
  { said, outputs }: Round,
): unknown {
  const schema = format.json_schema.schema ?? {};
  const reading = new Reading(said);
  const words = reading.words(reading.clauses.join(', '));
  return fill(schema, {
    root: schema,
    words,
    toolWords: [],
    known: Object.assign({}, ...outputs.map(parsed)),
    depth: 0,
  });
}

/** The properties of an output that is a JSON object. */
function parsed({ output }: { output: string }): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(output);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
