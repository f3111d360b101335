/**
 * The built-in rehearsal model: the same answer every time, without network or key, and NOT a language model. For demos,
 * tests and people's own flow tests. What it does is what its help promises:
 *
 * - A function is called if a clause of the user's latest message holds its name, a word of its name, or two words of
 *   its description; several clauses make several calls.
 * - Arguments are a JSON object in the text, or come from it by the function's schema: `key: value`, choices, numbers,
 *   yes and no, formats, quoted texts, and for a required text what is left over. The rest is made up.
 * - After the outputs it says what they were. Without tools it says what was said.
 * - "rehearse failure" (the run fails, server_error), "rehearse rate limit" (fails, rate_limit_exceeded), "rehearse
 *   content filter" (ends incomplete), "rehearse refusal" (the model declines), "rehearse slow" (a word a second: time
 *   to cancel, or to let a deadline pass) in the message rehearse trouble.
 */
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../domain/ids.ts';
import { countTokens, firstTokens } from '../../domain/tokens.ts';
import { type Model, ModelError, type ModelEvent, type ModelOptions, type Turn } from '../model.ts';
import { UsageEstimate } from '../tokens.ts';
import { forcedCall, type PlannedCall, planCalls } from './calls.ts';
import { type AnsweredRound, currentRound, reply } from './reply.ts';

const PACE = 15;
const LONGEST = 900;
const SLOW = 1000;

type Trouble = 'failure' | 'rate limit' | 'content filter' | 'refusal' | 'slow';

/** A model that needs nothing; `options.pace` sets the milliseconds between two words. */
export function rehearsalModel({ pace }: ModelOptions): Model {
  return { run: (turn) => rehearse(turn, pace), list: async () => ['rehearsal'] };
}

async function* rehearse(turn: Turn, pace: number | undefined): AsyncGenerator<ModelEvent> {
  const usage = new UsageEstimate();
  for await (const event of paced(
    answer(turn),
    turn.signal,
    pace,
    troubleIn(currentRound(turn).said) === 'slow',
  )) {
    usage.see(event);
    if (event.type === 'end') yield { type: 'usage', usage: usage.of(turn) };
    yield event;
  }
}

function troubleIn(said: string): Trouble | undefined {
  return /\brehearse (failure|rate limit|content filter|refusal|slow)\b/i.exec(said)?.[1]?.toLowerCase() as
    | Trouble
    | undefined;
}

/** The events of one turn, all known at once. */
function answer(turn: Turn): ModelEvent[] {
  const round = currentRound(turn);
  const trouble = troubleIn(round.said);
  if (trouble === 'failure') throw new ModelError('rehearsedFailure');
  if (trouble === 'rate limit')
    throw new ModelError('rehearsedLimit', {}, { reason: 'provider_rate_limited' });
  if (trouble === 'refusal')
    return [...pieces('This is a rehearsed refusal.', 'refusal'), { type: 'end', reason: 'stop' }];
  const calls = nextCalls(turn, round);
  if (calls.length > 0) return called(calls, turn.maxCompletionTokens);
  const text = reply(turn, round);
  if (trouble === 'content filter')
    return [...pieces(text.slice(0, text.length / 2)), { type: 'end', reason: 'content_filter' }];
  const said = firstTokens(text, turn.maxCompletionTokens ?? Number.POSITIVE_INFINITY);
  return [...pieces(said), { type: 'end', reason: said === text ? 'stop' : 'length' }];
}

/** The calls of this turn: those the message asks for that have not been made yet. */
function nextCalls(
  { tools, toolChoice, parallelToolCalls }: Turn,
  { said, calls: made }: AnsweredRound,
): PlannedCall[] {
  if (toolChoice === 'none') return [];
  const named = typeof toolChoice === 'object' && toolChoice !== null ? toolChoice : undefined;
  if (named && named.type !== 'function')
    throw new ModelError('noChoice', { tool: named.type }, { reason: 'provider_request_refused' });
  const only = named?.function?.name;
  const planned = planCalls(said, tools, only);
  // required and named choices hold for the first round only: held for ever, a run would never end
  const forced = (toolChoice === 'required' || named) && made.length === 0;
  if (planned.length === 0 && forced) {
    const call = forcedCall(said, tools, only);
    return call ? [call] : [];
  }
  return planned.slice(made.length, parallelToolCalls ? undefined : made.length + 1);
}

function called(calls: PlannedCall[], room: number | null): ModelEvent[] {
  const events = calls.flatMap((call, index): ModelEvent[] => [
    { type: 'call', index, id: newId('call'), name: call.name },
    ...(JSON.stringify(call.arguments).match(/.{1,16}/gsu) ?? []).map(
      (delta): ModelEvent => ({ type: 'call_arguments', index, delta }),
    ),
    { type: 'call_done', index },
  ]);
  const cost = countTokens(calls.map((call) => call.name + JSON.stringify(call.arguments)).join(''));
  // half a call helps nobody
  return room !== null && cost > room
    ? [{ type: 'end', reason: 'length' }]
    : [...events, { type: 'end', reason: 'stop' }];
}

/** Word-sized deltas; scripts without spaces are cut after eight characters. */
function pieces(text: string, type: 'text' | 'refusal' = 'text'): ModelEvent[] {
  const words = text.match(/\s*\S+\s*/gu) ?? (text ? [text] : []);
  const parts = words.flatMap((word) =>
    /[^\p{ASCII}]{9}/u.test(word) ? (word.match(/.{1,8}/gsu) ?? []) : [word],
  );
  return parts.map((delta) => ({ type, delta }));
}

/** Lets time pass before each event, at least one round of the event loop; ends at once when the signal says so. */
async function* paced(
  events: ModelEvent[],
  signal: AbortSignal,
  pace: number | undefined,
  slow: boolean,
): AsyncGenerator<ModelEvent> {
  const wait = slow ? SLOW : (pace ?? Math.min(PACE, LONGEST / events.length));
  for (const event of events) {
    const pause = wait > 0 ? sleep(wait, undefined, { signal }) : nextTick(undefined, { signal });
    await pause.catch(() => {});
    signal.throwIfAborted();
    yield event;
  }
}
