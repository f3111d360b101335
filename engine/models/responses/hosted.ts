/** Tools that the provider ran itself, and what its texts cite, in the form of run steps and messages. */

import type {
  ResponseCodeInterpreterToolCall,
  ResponseFileSearchToolCall,
  ResponseOutputItem,
} from 'openai/resources/responses/responses';
import { RANKING } from '../../domain/types.ts';
import type { Turn } from '../model.ts';

export type HostedItem = ResponseCodeInterpreterToolCall | ResponseFileSearchToolCall;

export const isHosted = (item: ResponseOutputItem): item is HostedItem =>
  item.type === 'code_interpreter_call' || item.type === 'file_search_call';

/** As docs/contract.md (Streams) has it: a code interpreter begins with an empty input and no outputs, a file search empty. */
export function startedCall({ id, type }: HostedItem, ranking: Ranking): Record<string, unknown> {
  return type === 'code_interpreter_call'
    ? { id, type: 'code_interpreter', code_interpreter: { input: '', outputs: [] } }
    : { id, type: 'file_search', file_search: { ranking_options: ranking, results: [] } };
}

/** A piece of the code that the model writes. */
export function inputDelta(id: string, input: string): Record<string, unknown> {
  return { id, type: 'code_interpreter', code_interpreter: { input } };
}

export function wholeCall(item: HostedItem, ranking: Ranking): Record<string, unknown> {
  return item.type === 'code_interpreter_call'
    ? {
        id: item.id,
        type: 'code_interpreter',
        code_interpreter: { input: item.code ?? '', outputs: outputs(item) },
      }
    : { id: item.id, type: 'file_search', file_search: { ranking_options: ranking, results: results(item) } };
}

/** The ranking that a turn's file searches go by, in the wire's own words. */
export type Ranking = { ranker: string; score_threshold: number };

export function rankingOf(tools: Turn['tools']): Ranking {
  const tool = tools.find(({ type }) => type === 'file_search');
  return { ...RANKING, ...(tool?.type === 'file_search' && tool.file_search?.ranking_options) };
}

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
  return (results ?? []).map(({ file_id, filename, score, text, attributes }) => ({
    attributes: attributes ?? {},
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
  filename?: string;
  index?: number;
  start_index?: number;
  end_index?: number;
}

const KINDS: Record<string, 'file_citation' | 'file_path'> = {
  file_citation: 'file_citation',
  file_path: 'file_path',
  container_file_citation: 'file_path',
};

/** Whether messages know this kind of annotation: web pages they don't. */
export const isKnown = (cited: Cited | null): cited is Cited => cited !== null && cited.type in KINDS;

/**
 * A citation in the form of a message's annotation.
 * @param text what it covers in the message's text: clients look for it there to put something in its place
 * @param start where that stands, in UTF-16 units
 */
export function annotation(
  { type, file_id = '' }: Cited,
  text: string,
  start: number,
): Record<string, unknown> {
  const kind = KINDS[type] ?? 'file_path';
  return { type: kind, text, start_index: start, end_index: start + text.length, [kind]: { file_id } };
}
