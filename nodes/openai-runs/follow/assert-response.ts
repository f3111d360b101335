/** Holds what a server answered against what was asked for: a login page or an empty body is no run. */

import { isObject } from '../../../engine/domain/is-object.ts';
import { type ErrorDetails, RunsError } from '../../shared/errors.ts';
import { excerpt } from '../../shared/excerpt.ts';
import type { RunsTranslate } from '../../shared/texts.ts';
import type { ApiObject, Page, Run } from '../methods/method.ts';

/** Longest piece of a strange answer that goes into the error. */
const EXCERPT = 120;

/** @throws RunsError unless the answer has what every run has: an id and a status */
export function expectRun(answer: unknown, t: RunsTranslate, known?: ErrorDetails): Run {
  if (hasId(answer) && typeof answer.status === 'string') return answer as unknown as Run;
  throw unexpected(answer, 'thread.run', t, known);
}

/**
 * @param wanted what the API calls such an object
 * @throws RunsError unless the answer has an id
 */
export function expectObject(answer: unknown, wanted: string, t: RunsTranslate): ApiObject {
  if (hasId(answer)) return answer as unknown as ApiObject;
  throw unexpected(answer, wanted, t);
}

/** @throws RunsError unless the server sent a list; the SDK makes an empty page of anything else */
export function expectPage(page: Page, t: RunsTranslate): Page {
  const { body } = page as { body?: unknown };
  if (isObject(body) && Array.isArray(body.data)) return page;
  throw unexpected(body, 'list', t);
}

/** LangGraph's threads, runs and assistants have names for their ids, and their times are texts. */
function isLangGraphs(answer: unknown): boolean {
  if (!isObject(answer) || 'id' in answer || 'object' in answer) return false;
  const { thread_id, assistant_id, created_at } = answer;
  return typeof (thread_id ?? assistant_id) === 'string' && typeof created_at === 'string';
}

function hasId(answer: unknown): answer is Record<string, unknown> {
  return isObject(answer) && typeof answer.id === 'string' && answer.id !== '';
}

function unexpected(answer: unknown, wanted: string, t: RunsTranslate, known: ErrorDetails = {}): RunsError {
  if ([answer].flat().some(isLangGraphs)) {
    const message = t('error.otherProtocol', { protocol: 'LangGraph' });
    return new RunsError(message, { code: 'other_protocol', ...known });
  }
  const text = excerpt(answer, EXCERPT);
  return new RunsError(t('error.noAnswer', { wanted, text }), { code: 'unexpected_answer', ...known });
}
