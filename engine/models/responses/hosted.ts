/** Tools that the provider ran itself, and what its texts cite, in the form of run steps and messages. */
import type {
  ResponseCodeInterpreterToolCall,
  ResponseFileSearchToolCall,
  ResponseOutputItem,
} from 'openai/resources/responses/responses';

export type HostedItem = ResponseCodeInterpreterToolCall | ResponseFileSearchToolCall;

export const isHosted = (item: ResponseOutputItem): item is HostedItem =>
  item.type === 'code_interpreter_call' || item.type === 'file_search_call';

/** Contract (lifecycle.md §3 e): a code interpreter begins with an empty input and no outputs, a file search empty. */
export function startedCall({ id, type }: HostedItem): Record<string, unknown> {
  return type === 'code_interpreter_call'
    ? { id, type: 'code_interpreter', code_interpreter: { input: '', outputs: [] } }
    : { id, type: 'file_search', file_search: { ranking_options: RANKING, results: [] } };
}

/** A piece of the code that the model writes. */
export function inputDelta(id: string, input: string): Record<string, unknown> {
  return { id, type: 'code_interpreter', code_interpreter: { input } };
}

export function wholeCall(item: HostedItem): Record<string, unknown> {
  return item.type === 'code_interpreter_call'
    ? {
        id: item.id,
        type: 'code_interpreter',
        code_interpreter: { input: item.code ?? '', outputs: outputs(item) },
      }
    : { id: item.id, type: 'file_search', file_search: { ranking_options: RANKING, results: results(item) } };
}

const RANKING = { ranker: 'auto', score_threshold: 0 };

function outputs({ outputs }: ResponseCodeInterpreterToolCall): Record<string, unknown>[] {
  return (outputs ?? []).map((output) =>
    output.type === 'logs'
      ? { type: 'logs', logs: output.logs }
      : { type: 'image', image: { file_id: fileIdIn(output.url) } },
  );
}

/** The id of a file in its address; the address itself if it has none. */
function fileIdIn(url: string): string {
  return /\b(?:cfile_|file-|assistant-)[\w-]+/.exec(url)?.[0] ?? url;
}

function results({ results }: ResponseFileSearchToolCall): Record<string, unknown>[] {
  return (results ?? []).map(({ file_id, filename, score, text }) => ({
    file_id: file_id ?? '',
    file_name: filename ?? '',
    score: score ?? 0,
    content: [{ type: 'text', text: text ?? '' }],
  }));
}

/** One of the annotations of an output text; fields as its type has them. */
export interface Cited {
  type: string;
  file_id?: string;
  index?: number;
  start_index?: number;
  end_index?: number;
}

/**
 * A citation in the form of a message's annotation; undefined for kinds that messages don't know (web pages).
 * `text` is all that was said so far in the part that cites, `offset` where that part begins in the message.
 */
export function annotation(cited: Cited, text: string, offset: number): Record<string, unknown> | undefined {
  const file_id = cited.file_id ?? '';
  // a citation of a file stands at a place and covers no text
  const start = cited.start_index ?? cited.index ?? text.length;
  const end = cited.end_index ?? start;
  const at = { text: text.slice(start, end), start_index: offset + start, end_index: offset + end };
  if (cited.type === 'file_citation') return { type: 'file_citation', ...at, file_citation: { file_id } };
  if (cited.type === 'file_path' || cited.type === 'container_file_citation')
    return { type: 'file_path', ...at, file_path: { file_id } };
  return undefined;
}
