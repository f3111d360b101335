/** A turn as the body of POST /responses: stateless, everything the model needs goes along every time. */
import type {
  ResponseCreateParams,
  ResponseFormatTextConfig,
  ResponseIncludable,
  ResponseInputContent,
  ResponseInputItem,
  Tool,
} from 'openai/resources/responses/responses';
import { paired } from '../history.ts';
import { ModelError, type Turn, type TurnContent, type TurnItem } from '../model.ts';

export const PROVIDER = 'responses';

/** The API takes no smaller limit. */
const SMALLEST_LIMIT = 16;

/** What a server has turned out to understand. */
export interface Dialect {
  /** Models without reasoning refuse to send it encrypted. */
  encryptedReasoning: boolean;
}

/** The request for one turn. @throws ModelError (invalid_prompt) for a tool that is chosen but can't be used. */
export function responsesRequest(turn: Turn, dialect: Dialect, stream: boolean): ResponseCreateParams {
  const tools = turn.tools.flatMap((tool) => toolFor(tool, turn.toolResources));
  const body: ResponseCreateParams = {
    model: turn.model,
    input: paired(turn.items).flatMap(inputItem),
    include: include(tools, dialect),
    store: false,
    stream,
  };
  if (turn.instructions) body.instructions = turn.instructions;
  if (tools.length > 0) {
    body.tools = tools;
    if (turn.toolChoice) body.tool_choice = toolChoice(turn.toolChoice, tools);
    if (!turn.parallelToolCalls) body.parallel_tool_calls = false;
  }
  if (turn.temperature !== null) body.temperature = turn.temperature;
  if (turn.topP !== null) body.top_p = turn.topP;
  if (turn.maxCompletionTokens !== null)
    body.max_output_tokens = Math.max(turn.maxCompletionTokens, SMALLEST_LIMIT);
  if (turn.reasoningEffort !== null)
    body.reasoning = {
      effort: turn.reasoningEffort as NonNullable<ResponseCreateParams['reasoning']>['effort'],
    };
  const format = textFormat(turn.responseFormat);
  if (format) body.text = { format };
  return body;
}

function include(tools: Tool[], { encryptedReasoning }: Dialect): ResponseIncludable[] {
  const has = (type: Tool['type']) => tools.some((tool) => tool.type === type);
  return [
    ...(encryptedReasoning ? (['reasoning.encrypted_content'] as const) : []),
    ...(has('file_search') ? (['file_search_call.results'] as const) : []),
    ...(has('code_interpreter') ? (['code_interpreter_call.outputs'] as const) : []),
  ];
}

function textFormat(format: Turn['responseFormat']): ResponseFormatTextConfig | undefined {
  if (!format || format === 'auto' || format.type === 'text') return undefined;
  if (format.type === 'json_object') return format;
  const { name, description, schema = {}, strict } = format.json_schema;
  return {
    type: 'json_schema',
    name,
    schema,
    ...(description && { description }),
    ...(strict && { strict }),
  };
}

interface Resources {
  file_search?: { vector_store_ids?: string[] };
  code_interpreter?: { file_ids?: string[] };
}

/** A file search without files finds nothing: it is left out, as the API refuses it. */
function toolFor(tool: Turn['tools'][number], resources: Resources | null): Tool[] {
  if (tool.type === 'function') {
    const { name, description, parameters = { type: 'object', properties: {} }, strict } = tool.function;
    return [
      { type: 'function', name, parameters, strict: strict ?? false, ...(description && { description }) },
    ];
  }
  if (tool.type === 'code_interpreter') {
    const files = resources?.code_interpreter?.file_ids ?? [];
    const container = { type: 'auto' as const, ...(files.length > 0 && { file_ids: files }) };
    return [{ type: 'code_interpreter', container }];
  }
  const stores = resources?.file_search?.vector_store_ids ?? [];
  if (stores.length === 0) return [];
  const { max_num_results, ranking_options } = tool.file_search ?? {};
  return [
    {
      type: 'file_search',
      vector_store_ids: stores,
      ...(max_num_results && { max_num_results }),
      // the names of rankers differ between the two APIs; `auto` is in both
      ...(ranking_options && {
        ranking_options: { ranker: 'auto', score_threshold: ranking_options.score_threshold },
      }),
    },
  ];
}

function toolChoice(
  choice: NonNullable<Turn['toolChoice']>,
  tools: Tool[],
): ResponseCreateParams['tool_choice'] {
  if (typeof choice === 'string') return choice;
  if (choice.type === 'function' && choice.function) return { type: 'function', name: choice.function.name };
  if (choice.type === 'function' || !tools.some(({ type }) => type === choice.type))
    throw new ModelError('noChoice', { tool: choice.type }, { reason: 'provider_request_refused' });
  return { type: choice.type };
}

function inputItem(item: TurnItem): ResponseInputItem[] {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant'
        ? [{ role: 'assistant', content: spoken(item.content) }]
        : [{ role: 'user', content: item.content.map(inputContent) }];
    case 'call':
      return [
        { type: 'function_call', call_id: item.id, name: item.name, arguments: item.arguments || '{}' },
      ];
    case 'output':
      return [{ type: 'function_call_output', call_id: item.id, output: item.output }];
    case 'carry':
      return item.provider === PROVIDER ? [item.data as ResponseInputItem] : [];
  }
}

/** Pictures the assistant made stay where they are: only its words are sent back. */
function spoken(content: TurnContent[]): string {
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

function inputContent(part: TurnContent): ResponseInputContent {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text };
    case 'image_url':
      return { type: 'input_image', image_url: part.url, detail: part.detail ?? 'auto' };
    case 'image_file':
      return { type: 'input_image', file_id: part.file_id, detail: part.detail ?? 'auto' };
    case 'file':
      return { type: 'input_file', file_id: part.file_id };
  }
}
