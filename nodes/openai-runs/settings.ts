/** The node's saved properties (public: flows are shared as JSON) and their defaults. */
import type { NodeDef } from 'node-red';

export type Delivery = 'start' | 'wait' | 'stream';
export type FieldType = 'str' | 'num' | 'bool' | 'json' | 'msg' | 'flow' | 'global' | 'env' | 'jsonata';

/** A field as the form saves it: the typedInput's text and type. */
export interface Field {
  value: string;
  type: FieldType;
}

export interface Settings {
  /** Id of an `openai-runs-service` node. */
  service: string;
  method: string;
  /** Where the request object is read. */
  property: string;
  propertyType: 'msg' | 'flow' | 'global';
  fields: Record<string, Field>;
  delivery: Delivery;
  /** What goes into `msg.payload` of a finished run. */
  result: 'run' | 'text' | 'json';
  tools: boolean;
  /** Seconds a tool may take. */
  toolTimeout: number;
  maxToolRounds: number;
  conversation: string;
  conversationType: string;
  busy: 'queue' | 'error' | 'cancel';
  /** Seconds until the run is cancelled and the message fails; 0 = none. */
  deadline: number;
  cancelOnClose: boolean;
  /** Where runs go that end failed, expired, cancelled or incomplete. */
  failures: 'catch' | 'output';
  paging: 'page' | 'all' | 'each';
  maxItems: number;
  /** Milliseconds within which text deltas are merged; 0 = off. */
  coalesce: number;
}

export type RunsNodeDef = NodeDef & Partial<Record<keyof Settings, unknown>>;

/**
 * Fills in what an older or hand-written flow leaves out. Numbers saved as text are read as numbers; anything
 * that a property cannot be falls back to its default.
 * @param def the node's configuration as saved in the flow
 */
export function readSettings(def: RunsNodeDef): Settings {
  const text = (value: unknown, fallback = '') => (typeof value === 'string' ? value : fallback);
  const count = (value: unknown, fallback: number) => {
    const number = value === '' || value === null || value === undefined ? Number.NaN : Number(value);
    return Number.isFinite(number) && number >= 0 ? number : fallback;
  };
  const choice = <T extends string>(value: unknown, all: readonly [T, ...T[]]): T =>
    all.find((one) => one === value) ?? all[0];
  return {
    service: text(def.service),
    method: text(def.method, 'createThreadAndRun'),
    property: text(def.property) || 'payload',
    propertyType: choice(def.propertyType, ['msg', 'flow', 'global']),
    fields: isObject(def.fields) ? (def.fields as Record<string, Field>) : {},
    delivery: choice(def.delivery, ['wait', 'start', 'stream']),
    result: choice(def.result, ['run', 'text', 'json']),
    tools: def.tools === true,
    toolTimeout: count(def.toolTimeout, 60),
    maxToolRounds: count(def.maxToolRounds, 10),
    conversation: text(def.conversation),
    conversationType: text(def.conversationType, 'msg'),
    busy: choice(def.busy, ['queue', 'error', 'cancel']),
    deadline: count(def.deadline, 0),
    cancelOnClose: def.cancelOnClose === true,
    failures: choice(def.failures, ['catch', 'output']),
    paging: choice(def.paging, ['page', 'all', 'each']),
    maxItems: count(def.maxItems, 1000) || 1000,
    coalesce: count(def.coalesce, 0),
  };
}

/** Whether a value is an object with fields: no array, no Buffer, no null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
