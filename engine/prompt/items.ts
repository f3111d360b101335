/** Messages and rounds as entries of a prompt, and what they weigh. */
import { callsOf, isFunctionCall, type MessagePart } from '../domain/content.ts';
import { countTokens, PICTURE_TOKENS } from '../domain/tokens.ts';
import type { TurnContent, TurnItem } from '../models/model.ts';
import type { MessageRecord, StepRecord } from '../store/records.ts';

/** Tokens of role and separators around an entry. */
const ENTRY_TOKENS = 4;

function contentTokens(content: TurnContent): number {
  switch (content.type) {
    case 'text':
      return countTokens(content.text);
    case 'image_url':
    case 'image_file':
    case 'file':
      return PICTURE_TOKENS;
  }
}

export function itemTokens(item: TurnItem): number {
  switch (item.type) {
    case 'message':
      return ENTRY_TOKENS + item.content.reduce((sum, content) => sum + contentTokens(content), 0);
    case 'call':
      return ENTRY_TOKENS + countTokens(item.name + item.arguments);
    case 'output':
      return ENTRY_TOKENS + countTokens(item.output);
    case 'carry':
      // Encrypted reasoning is not counted as prompt text; its size says nothing.
      return 0;
  }
}

function turnContent(part: MessagePart): TurnContent {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text.value };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'image_url':
      return { type: 'image_url', ...part.image_url };
    case 'image_file':
      return { type: 'image_file', ...part.image_file };
  }
}

export function messageItem(row: MessageRecord): TurnItem | undefined {
  const content = row.content.map(turnContent);
  for (const { file_id } of row.attachments) content.push({ type: 'file', file_id });
  return content.length > 0 ? { type: 'message', role: row.role, content } : undefined;
}

/** A call or output also knows the id under which the engine keeps it. */
export type DraftItem = TurnItem & { ownId?: string };

/** Calls and outputs go by the provider's ids; one that it has given twice is replaced by ours. */
export function settleIds(items: DraftItem[]): TurnItem[] {
  const owners = new Map<string, string>();
  return items.map(({ ownId, ...item }): TurnItem => {
    if ((item.type !== 'call' && item.type !== 'output') || !ownId) return item;
    const owner = owners.get(item.id) ?? ownId;
    owners.set(item.id, owner);
    return owner === ownId ? item : { ...item, id: ownId };
  });
}

/** Calls and outputs of a finished round. Carried items only serve the run that they came up in. */
export function roundItems({ details, memory }: StepRecord, withCarry: boolean): DraftItem[] {
  const calls = callsOf(details);
  // A round that was cut off or never answered is no use to anybody.
  if (calls.some((call) => isFunctionCall(call) && call.function.output === null)) return [];
  const items: DraftItem[] = [];
  const outputs: DraftItem[] = [];
  const carryAt = (position: number) => {
    if (!withCarry) return;
    for (const { at, provider, data } of memory.carry) {
      if (at === position) items.push({ type: 'carry', provider, data });
    }
  };
  calls.forEach((call, position) => {
    carryAt(position);
    if (!isFunctionCall(call)) return;
    const id = memory.ids[position] || call.id;
    const { name, arguments: args, output } = call.function;
    items.push({ type: 'call', id, name, arguments: args, ownId: call.id });
    outputs.push({ type: 'output', id, output: output ?? '', ownId: call.id });
  });
  carryAt(calls.length);
  return [...items, ...outputs];
}
