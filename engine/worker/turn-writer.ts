/**
 * Turns what a model says into steps and messages: rows where something opens or closes, events for everything.
 * One step and one message are open at a time, a message ends before a tool step begins (docs/contract.md, Streams).
 */
import { type FunctionCall, isFunctionCall, type TextPart, type ToolCall } from '../domain/content.ts';
import { newId } from '../domain/ids.ts';
import type { ProviderState } from '../domain/provider-state.ts';
import { addUsage, EMPTY_USAGE, type Usage } from '../domain/usage.ts';
import type { ModelEvent } from '../models/model.ts';
import { messageObject, stepObject } from '../objects/objects.ts';
import type { RunRecord } from '../store/records.ts';
import { holdAttempt } from '../store/runs.ts';
import { insertParts, type Open, saveParts } from '../store/steps.ts';
import { atomically, type Db } from '../store/store.ts';
import { closeParts, closingEvents } from './end-run.ts';
import type { EventLog } from './event-log.ts';
import { newAnswer, newStep, type OpenMessage, type OpenTools } from './open-parts.ts';

/** How a turn ended, for the run. */
export type TurnResult =
  | { kind: 'answered' }
  | { kind: 'calls'; calls: FunctionCall[] }
  | { kind: 'cut'; by: 'max_tokens' | 'content_filter' };

export class TurnWriter {
  readonly #db: Db;
  readonly #log: EventLog;
  readonly #run: RunRecord;
  readonly #now: () => number;
  #open: OpenMessage | OpenTools | undefined;
  #pendingCarry: { provider: string; data: unknown }[] = [];
  #usage: Usage | undefined;
  #textAfterCalls = '';

  constructor(db: Db, log: EventLog, run: RunRecord, now: () => number) {
    this.#db = db;
    this.#log = log;
    this.#run = run;
    this.#now = now;
  }

  /** What the turn has used, once the model has said so. */
  get usage(): Usage {
    return this.#usage ?? EMPTY_USAGE;
  }

  /** What was said where no message can be opened any more: a tool step waits for its outputs. */
  get textAfterCalls(): string {
    return this.#textAfterCalls;
  }

  /** The open step and message with all that has come so far. */
  open(): Open {
    const open = this.#open;
    if (!open) return {};
    const step = { ...open.step, memory: open.memory };
    if (open.kind === 'message') return { step, message: { ...open.message, content: open.parts } };
    return { step: { ...step, details: { type: 'tool_calls', tool_calls: open.calls } } };
  }

  /** @throws what the database throws when a step or message cannot be written. */
  async apply(event: ModelEvent): Promise<void> {
    switch (event.type) {
      case 'text':
        if (this.#waitsForOutputs()) this.#textAfterCalls += event.delta;
        else if (event.delta) this.#text(await this.#messageStep(), event.delta);
        return;
      case 'refusal':
        if (this.#waitsForOutputs()) this.#textAfterCalls += event.delta;
        else if (event.delta) this.#refusal(await this.#messageStep(), event.delta);
        return;
      case 'annotation':
        if (!this.#waitsForOutputs()) this.#annotation(await this.#messageStep(), event);
        return;
      case 'call':
        this.#call(await this.#toolStep(), event.index, event.id, event.name);
        return;
      case 'call_arguments':
        this.#callArguments(event.index, event.delta);
        return;
      case 'call_done':
        if (this.#open?.kind === 'tools') this.#open.unfinished.delete(event.index);
        return;
      case 'hosted_call':
        this.#hostedCall(await this.#toolStep(), event);
        return;
      case 'carry':
        this.#carry(event.provider, event.data);
        return;
      case 'usage':
        this.#usage = this.#usage ? addUsage(this.#usage, event.usage) : event.usage;
        return;
      case 'end':
        return;
    }
  }

  /** What the model's end means. Whether functions are called is decided by the calls, not by the reason given. */
  result(reason: 'stop' | 'length' | 'content_filter'): TurnResult {
    const open = this.#open;
    if (open?.kind === 'tools' && open.functions.size > 0) {
      if (open.unfinished.size > 0) return { kind: 'cut', by: 'max_tokens' };
      return { kind: 'calls', calls: open.calls.filter(isFunctionCall) };
    }
    switch (reason) {
      case 'stop':
        return { kind: 'answered' };
      case 'length':
        return { kind: 'cut', by: 'max_tokens' };
      case 'content_filter':
        return { kind: 'cut', by: 'content_filter' };
    }
  }

  /** A step with function calls stays open until their outputs come: no message can follow it in this turn. */
  #waitsForOutputs(): boolean {
    return this.#open?.kind === 'tools' && this.#open.functions.size > 0;
  }

  #takeCarry(): ProviderState {
    const carry = this.#pendingCarry.map((entry) => ({ at: 0, ...entry }));
    this.#pendingCarry = [];
    return { ids: [], carry };
  }

  async #messageStep(): Promise<OpenMessage> {
    if (this.#open?.kind === 'message') return this.#open;
    await this.#closeStep();
    const message = newAnswer(this.#run, this.#now());
    const memory = this.#takeCarry();
    const details = { type: 'message_creation' as const, message_creation: { message_id: message.id } };
    const step = newStep(this.#run, 'message_creation', details, memory, this.#now());
    await insertParts(this.#db, this.#run, step, message);
    this.#open = { kind: 'message', step, message, parts: [], memory };
    const [stepData, messageData] = [stepObject(step), messageObject(message)];
    this.#log.append(
      { event: 'thread.run.step.created', data: stepData },
      { event: 'thread.run.step.in_progress', data: stepData },
      { event: 'thread.message.created', data: messageData },
      { event: 'thread.message.in_progress', data: messageData },
    );
    return this.#open;
  }

  async #toolStep(): Promise<OpenTools> {
    if (this.#open?.kind === 'tools') return this.#open;
    await this.#closeStep();
    const memory = this.#takeCarry();
    const step = newStep(
      this.#run,
      'tool_calls',
      { type: 'tool_calls', tool_calls: [] },
      memory,
      this.#now(),
    );
    await insertParts(this.#db, this.#run, step);
    this.#open = {
      kind: 'tools',
      step,
      calls: [],
      functions: new Map(),
      hosted: new Map(),
      unfinished: new Set(),
      memory,
    };
    const data = stepObject(step);
    this.#log.append(
      { event: 'thread.run.step.created', data },
      { event: 'thread.run.step.in_progress', data },
    );
    return this.#open;
  }

  /** Completes the open step in the middle of a turn. What it used nobody says: the turn's last step has it all. */
  async #closeStep(): Promise<void> {
    if (!this.#open) return;
    const parts = closeParts(this.open(), { name: 'complete', now: this.#now() });
    await atomically(this.#db, async (trx) => {
      await holdAttempt(trx, this.#run);
      await saveParts(trx, parts);
    });
    this.#open = undefined;
    this.#log.append(...closingEvents(parts, this.#run));
  }

  #messageDelta({ message }: OpenMessage, content: unknown): void {
    this.#log.append({
      event: 'thread.message.delta',
      data: { id: message.id, object: 'thread.message.delta', delta: { content: [content] } },
    });
  }

  #stepDelta({ step }: OpenTools, call: unknown): void {
    const delta = { step_details: { type: 'tool_calls', tool_calls: [call] } };
    this.#log.append({
      event: 'thread.run.step.delta',
      data: { id: step.id, object: 'thread.run.step.delta', delta },
    });
  }

  #text(open: OpenMessage, value: string): void {
    const last = open.parts.at(-1);
    if (last?.type === 'text') {
      last.text.value += value;
      this.#messageDelta(open, { index: open.parts.length - 1, type: 'text', text: { value } });
      return;
    }
    const index = open.parts.push({ type: 'text', text: { value, annotations: [] } }) - 1;
    this.#messageDelta(open, { index, type: 'text', text: { value, annotations: [] } });
  }

  #refusal(open: OpenMessage, refusal: string): void {
    const last = open.parts.at(-1);
    if (last?.type === 'refusal') last.refusal += refusal;
    else open.parts.push({ type: 'refusal', refusal });
    this.#messageDelta(open, { index: open.parts.length - 1, type: 'refusal', refusal });
  }

  #annotation(
    open: OpenMessage,
    { marker = '', annotation }: Extract<ModelEvent, { type: 'annotation' }>,
  ): void {
    if (open.parts.at(-1)?.type !== 'text') this.#text(open, '');
    const { text } = open.parts.at(-1) as TextPart;
    const index = text.annotations.push(annotation) - 1;
    text.value += marker;
    this.#messageDelta(open, {
      index: open.parts.length - 1,
      type: 'text',
      text: { value: marker, annotations: [{ index, ...annotation }] },
    });
  }

  #call(open: OpenTools, index: number, providerId: string, name: string): void {
    const call: FunctionCall = {
      id: newId('call'),
      type: 'function',
      function: { name, arguments: '', output: null },
    };
    const position = open.calls.push(call) - 1;
    open.functions.set(index, position);
    open.unfinished.add(index);
    open.memory.ids[position] = providerId;
    this.#stepDelta(open, { index: position, ...call, function: { ...call.function } });
  }

  #callArguments(index: number, delta: string): void {
    const open = this.#open;
    const position = open?.kind === 'tools' ? open.functions.get(index) : undefined;
    if (open?.kind !== 'tools' || position === undefined)
      throw new Error(`Arguments for unknown call ${index}`);
    (open.calls[position] as FunctionCall).function.arguments += delta;
    this.#stepDelta(open, { index: position, type: 'function', function: { arguments: delta } });
  }

  #hostedCall(open: OpenTools, { index, phase, call }: Extract<ModelEvent, { type: 'hosted_call' }>): void {
    const known = open.hosted.get(index);
    const { type } = call as ToolCall;
    if (known === undefined) {
      const id = newId('call');
      const position = open.calls.push({ ...call, id, type }) - 1;
      open.hosted.set(index, position);
      open.memory.ids[position] = '';
      this.#stepDelta(open, { index: position, ...structuredClone(call), id, type });
      return;
    }
    const current = open.calls[known]!;
    if (phase === 'done') {
      open.calls[known] = { ...call, id: current.id, type };
      return;
    }
    const kept = current[type] as { input?: string; outputs?: unknown[] } | undefined;
    const piece = call[type] as { input?: string; outputs?: object[] } | undefined;
    const before = kept?.outputs?.length ?? 0;
    current[type] = {
      ...kept,
      ...piece,
      ...(piece?.input !== undefined && { input: (kept?.input ?? '') + piece.input }),
      ...(piece?.outputs && { outputs: [...(kept?.outputs ?? []), ...piece.outputs] }),
    };
    const outputs = piece?.outputs?.map((output, i) => ({ index: before + i, ...output }));
    this.#stepDelta(open, { index: known, type, [type]: { ...piece, ...(outputs && { outputs }) } });
  }

  #carry(provider: string, data: unknown): void {
    const open = this.#open;
    if (!open) {
      this.#pendingCarry.push({ provider, data });
      return;
    }
    const at = open.kind === 'message' ? 1 : open.calls.length;
    open.memory.carry.push({ at, provider, data });
  }
}
