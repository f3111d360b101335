/** Reading requests and writing answers, the same for every path. */
import type { Context } from 'hono';
import type * as z from 'zod/mini';
import type { Caller } from '../../domain/caller.ts';
import { notJson } from '../../domain/errors.ts';
import { isActive } from '../../domain/run-states.ts';
import { runFor } from '../../objects/objects.ts';
import { parse } from '../../schemas/translate.ts';
import type { Page } from '../../store/paging.ts';
import type { RunRecord } from '../../store/records.ts';

/** Milliseconds after which a poller may look again; a look costs one indexed read in the same process. */
const POLL_AFTER_MS = 250;
/** Characters of a key against repeating that count. */
const LONGEST_KEY = 255;

export interface RouteEnv {
  Bindings: {
    /** The request's body; read before its path is. */
    body: string;
    signal?: AbortSignal | null | undefined;
    /** Aborted when the engine closes: an answer that waits for a run to end is given up then. */
    closing: AbortSignal;
    /** The program that asks, where it is not the engine's own. */
    caller?: Caller | undefined;
  };
}

export type RouteContext = Context<RouteEnv>;

/**
 * The body as its schema describes it; no body counts as an empty object, as for cancel.
 * @throws ApiError 400.
 */
export function readBody<T extends z.core.$ZodType>(c: RouteContext, schema: T): z.output<T> {
  const text = c.env.body;
  let value: unknown = {};
  if (text.trim()) {
    try {
      value = JSON.parse(text);
    } catch {
      throw notJson();
    }
  }
  return parse(schema, value);
}

/** The key against repeating, together with who asks for what; undefined without one. */
export function keyOf(c: RouteContext): string | undefined {
  const key = c.req.header('idempotency-key');
  return key ? `${c.env.caller?.id ?? ''} ${c.req.path} ${key.slice(0, LONGEST_KEY)}` : undefined;
}

export const queryOf = (c: RouteContext): URLSearchParams => new URL(c.req.url).searchParams;

/** A run, and when to look again while it can still change. */
export function runResponse(c: RouteContext, run: RunRecord): Response {
  if (isActive(run.status)) c.header('openai-poll-after-ms', String(POLL_AFTER_MS));
  return c.json(runFor(c.env.caller, run));
}

/** The wire's list object; ids of an empty list are null. */
export function listObject<Record, Item extends { id: string }>(
  { items, hasMore }: Page<Record>,
  toObject: (record: Record) => Item,
) {
  const data = items.map(toObject);
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
