/** The node's saved properties (public: flows are shared as JSON), their defaults and limits. */

import type { NodeDef } from 'node-red';
import { isObject } from '../../engine/domain/is-object.ts';
import { migrated } from '../shared/migrate.ts';
import { migrations } from './migrations/index.ts';

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
  /** What the user says, and how that is to be read; empty: what the request brings. */
  message: string;
  messageType: Field['type'];
  /** Where the request object is read. */
  property: string;
  propertyType: 'msg' | 'flow' | 'global';
  fields: Record<string, Field>;
  delivery: Delivery;
  /** What goes into `msg.payload` of a finished run. */
  result: 'run' | 'text' | 'json';
  /** What goes out while a run is streamed. */
  streamed: 'events' | 'text';
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
  paging: 'page' | 'items' | 'all' | 'each';
  maxItems: number;
  /** Milliseconds within which text deltas are merged; 0 = off. */
  coalesce: number;
}

/** The numbers: what stands there at first, and the least that is allowed. Units: see Settings. */
export const NUMBERS = {
  toolTimeout: { value: 60, min: 0 },
  maxToolRounds: { value: 10, min: 1 },
  deadline: { value: 0, min: 0 },
  maxItems: { value: 1000, min: 1 },
  coalesce: { value: 0, min: 0 },
} as const;

/** The choices; what stands there at first comes first. */
export const CHOICES = {
  propertyType: ['msg', 'flow', 'global'],
  delivery: ['wait', 'start', 'stream'],
  result: ['run', 'text', 'json'],
  streamed: ['events', 'text'],
  messageType: ['msg', 'str', 'flow', 'global', 'env', 'jsonata'],
  busy: ['queue', 'error', 'cancel'],
  failures: ['catch', 'output'],
  paging: ['page', 'items', 'all', 'each'],
} as const;

/** The texts. */
export const TEXTS = {
  method: 'createThreadAndRun',
  message: '',
  property: 'payload',
  conversation: '',
  conversationType: 'msg',
} as const;

/** As a flow has it: nothing of it is certain. */
export type RunsNodeDef = NodeDef & Partial<Record<keyof Settings | 'version', unknown>>;

/**
 * Brings a saved node up to date, and fills in what a hand-written flow leaves out. Numbers saved as text are read as
 * numbers; anything that a property cannot be falls back to its default.
 * @param saved the node's configuration as saved in the flow
 */
export function readSettings(saved: RunsNodeDef): Settings {
  const def = migrated(saved, migrations);
  const text = (name: keyof typeof TEXTS) => {
    const value = def[name];
    return typeof value === 'string' ? value : TEXTS[name];
  };
  const number = (name: keyof typeof NUMBERS) => {
    const { value, min } = NUMBERS[name];
    const given = def[name];
    const number = given === '' || given === null || given === undefined ? Number.NaN : Number(given);
    return Number.isFinite(number) && number >= min ? number : value;
  };
  const choice = <Name extends keyof typeof CHOICES>(name: Name): (typeof CHOICES)[Name][number] => {
    const all: readonly (typeof CHOICES)[Name][number][] = CHOICES[name];
    return all.find((one) => one === def[name]) ?? all[0]!;
  };
  return {
    service: typeof def.service === 'string' ? def.service : '',
    method: text('method'),
    message: text('message'),
    messageType: choice('messageType'),
    property: text('property') || TEXTS.property,
    propertyType: choice('propertyType'),
    fields: isObject(def.fields) ? (def.fields as Record<string, Field>) : {},
    delivery: choice('delivery'),
    result: choice('result'),
    streamed: choice('streamed'),
    tools: def.tools === true,
    toolTimeout: number('toolTimeout'),
    maxToolRounds: number('maxToolRounds'),
    conversation: text('conversation'),
    conversationType: text('conversationType'),
    busy: choice('busy'),
    deadline: number('deadline'),
    cancelOnClose: def.cancelOnClose === true,
    failures: choice('failures'),
    paging: choice('paging'),
    maxItems: number('maxItems'),
    coalesce: number('coalesce'),
  };
}
