/** Rows as entries of a prompt, and what they weigh. */

import type { ProviderState } from '../domain/provider-state.ts';
import { countTokens } from '../domain/tokens.ts';
import type { TurnContent, TurnItem } from '../models/model.ts';
import type { MessageRow, StepRow } from '../store/schema.ts';

/** Tokens that an image is taken for; providers count between 85 and 1105. */
const IMAGE_TOKENS = 1000;
/** Tokens of role and separators around an entry. */
const ENTRY_TOKENS = 4;

function contentTokens(content: TurnContent): number {
  switch (content.type) {
    case 'text':
      return countTokens(content.text);
    case 'image_url':
    case 'image_file':
    case 'file':
      return IMAGE_TOKENS;
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

type WirePart =
  | { type: 'text'; text: { value: string } }
  | { type: 'refusal'; refusal: string }
  | { type: 'image_url'; image_url: { url: string; detail?: 'auto' | 'low' | 'high' } }
  | { type: 'image_file'; image_file: { file_id: string; detail?: 'auto' | 'low' | 'high' } };

function turnContent(part: WirePart): TurnContent {
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

export function messageItem(row: MessageRow): TurnItem | undefined {
  const content = (JSON.parse(row.content) as WirePart[]).map(turnContent);
  const attachments = JSON.parse(row.attachments) as { file_id: string }[];
  for (const { file_id } of attachments) content.push({ type: 'file', file_id });
  return content.length > 0 ? { type: 'message', role: row.role, content } : undefined;
}

interface StoredCall {
  id: string;
  type: string;
  function?: { name: string; arguments: string; output: string | null };
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
export function roundItems(step: StepRow, withCarry: boolean): DraftItem[] {
  const { tool_calls: calls } = JSON.parse(step.details) as { tool_calls: StoredCall[] };
  // A round that was cut off or never answered is no use to anybody.
  if (calls.some((call) => call.function && call.function.output === null)) return [];
  const memory = JSON.parse(step.memory) as ProviderState;
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
    if (!call.function) return;
    const id = memory.ids[position] || call.id;
    const { name, arguments: args, output } = call.function;
    items.push({ type: 'call', id, name, arguments: args, ownId: call.id });
    outputs.push({ type: 'output', id, output: output ?? '', ownId: call.id });
  });
  carryAt(calls.length);
  return [...items, ...outputs];
}
