/** What a request asks for → the records that are kept of it. */
import type { Attachment, MessagePart } from '../domain/content.ts';
import { newId } from '../domain/ids.ts';
import type { ToolResources } from '../domain/run-options.ts';
import type { ResponseFormat } from '../domain/types.ts';
import type { CreateAssistant, CreateMessage, CreateThread, ModifyAssistant } from '../schemas/bodies.ts';
import type { AssistantFields } from '../store/assistants.ts';
import type { MessageRecord, ThreadRecord } from '../store/records.ts';

/** `vector_stores: []` asks for nothing and is not kept. */
export function keptResources(resources: CreateThread['tool_resources']): ToolResources {
  const { file_search, ...rest } = resources ?? {};
  const kept = file_search && { file_search: { vector_store_ids: file_search.vector_store_ids ?? [] } };
  return { ...rest, ...kept } as ToolResources;
}

/** The fields of an assistant; those that the body does not name have their default. */
export function assistantFields(body: CreateAssistant): AssistantFields {
  return {
    name: body.name ?? null,
    description: body.description ?? null,
    model: body.model,
    instructions: body.instructions ?? null,
    tools: (body.tools ?? []) as AssistantFields['tools'],
    tool_resources: keptResources(body.tool_resources),
    metadata: body.metadata ?? {},
    temperature: body.temperature ?? null,
    top_p: body.top_p ?? null,
    response_format: (body.response_format ?? 'auto') as ResponseFormat,
    reasoning_effort: body.reasoning_effort ?? null,
  };
}

/** What the body names and nothing else. */
export function assistantChanges(body: ModifyAssistant): Partial<AssistantFields> {
  const fields = Object.entries(assistantFields({ model: '', ...body }));
  return Object.fromEntries(fields.filter(([name]) => body[name as keyof ModifyAssistant] !== undefined));
}

/** @param owner id of the caller */
export const newThread = (body: CreateThread, now: number, owner: string | null = null): ThreadRecord => ({
  id: newId('thread'),
  owner,
  created_at: now,
  tool_resources: keptResources(body.tool_resources),
  metadata: body.metadata ?? {},
});

/** The wire's content parts from what a client may send: a string, or parts whose text is bare. */
function contentOf(content: CreateMessage['content']): MessagePart[] {
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
  return parts.map((part) =>
    part.type === 'text'
      ? { type: 'text', text: { value: part.text, annotations: [] } }
      : (part as MessagePart),
  );
}

/** A message that a client adds. */
export const newMessage = (threadId: string, body: CreateMessage, now: number): MessageRecord => ({
  id: newId('msg'),
  thread_id: threadId,
  created_at: now,
  role: body.role,
  status: 'completed',
  content: contentOf(body.content),
  attachments: (body.attachments ?? []) as Attachment[],
  metadata: body.metadata ?? {},
  assistant_id: null,
  run_id: null,
  completed_at: now,
  incomplete_at: null,
  incomplete_reason: null,
});
