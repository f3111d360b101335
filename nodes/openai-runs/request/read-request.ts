/** From a message to a request: fields of the form first, the request object for the rest. */

import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { isObject } from '../../../engine/domain/is-object.ts';
import { RunsError } from '../../shared/errors.ts';
import type { Below, RunsText, RunsTranslate } from '../../shared/texts.ts';
import type { Method, Parameter, Params } from '../methods/method.ts';
import type { Delivery, Field, Settings } from '../settings.ts';
import { accept, coerce, nameOf, type Refusal } from './check-field.ts';
import { isBlank, messagesOf } from './messages-of.ts';

export interface Request {
  params: Params;
  delivery: Delivery;
  /** By which a server finds what an earlier request of the same key has made, instead of making it again. */
  idempotencyKey?: string | undefined;
  /** Number of the last event of a run's stream that is known already; the embedded engine goes on behind it. */
  startingAfter?: number | undefined;
}

/** The request object's field for that key; it travels as a header. */
const IDEMPOTENCY = 'idempotency_key';
/** The request object's field for that number, where a run's stream is joined. */
const STARTING_AFTER = 'starting_after';

/** What an HTTP header can carry, of a length that servers take. */
const HEADER_TEXT = /^[\x21-\x7e]{1,255}$/;

/**
 * Options of the SDK: repeated only where repeating does no harm.
 * @param key travels as a header
 */
export const optionsOf = ({ repeatable }: Method, signal: AbortSignal, key: string | undefined) => ({
  signal,
  ...(!repeatable && { maxRetries: 0 }),
  ...(key !== undefined && { headers: { 'idempotency-key': key } }),
});

/** Names that would reach into an object's prototype; they are never copied. */
const UNSAFE = new Set(['__proto__', 'constructor', 'prototype']);

/** Types whose value is looked up by its path. */
const STORED: ReadonlySet<string> = new Set(['msg', 'flow', 'global']);

/** A body field that the SDK does not know: whatever JSON can carry. */
const ANYTHING: Parameter = {
  in: 'body',
  type: ['string', 'number', 'boolean', 'object', 'array'],
  nullable: true,
};

/** Kinds of the API's own objects → the request field that the object's `id` is. */
const OWN_ID: Readonly<Record<string, string | undefined>> = {
  thread: 'thread_id',
  'thread.run': 'run_id',
  'thread.run.step': 'step_id',
  'thread.message': 'message_id',
  assistant: 'assistant_id',
  list: undefined,
};

/**
 * An object of the API, such as the run that an earlier node left, is no request: it stands for the ids that are
 * needed. Those that a method may have besides would narrow down what is asked for.
 */
function idsOf(asked: Record<string, unknown>, { parameters }: Method): Record<string, unknown> {
  const { object, id, thread_id, run_id, assistant_id } = asked;
  if (typeof object !== 'string' || !Object.hasOwn(OWN_ID, object)) return asked;
  const own = OWN_ID[object];
  const ids = { thread_id, run_id, assistant_id, ...(own && { [own]: id }) };
  const isNeeded = ([name, value]: [string, unknown]) =>
    parameters[name]?.required && value !== undefined && value !== null;
  return Object.fromEntries(Object.entries(ids).filter(isNeeded));
}

/** What a message means to this node: where things were looked for goes into every refusal. */
export class Input {
  private readonly where: string;

  private readonly RED: NodeAPI;
  private readonly node: Node;
  private readonly settings: Settings;
  private readonly method: Method;
  private readonly t: RunsTranslate;

  constructor(RED: NodeAPI, node: Node, settings: Settings, method: Method, t: RunsTranslate) {
    this.RED = RED;
    this.node = node;
    this.settings = settings;
    this.method = method;
    this.t = t;
    this.where = `${settings.propertyType}.${settings.property}`;
  }

  /**
   * Reads and checks the request of one message.
   * @param given fields that come from elsewhere, such as a conversation's thread, and may be missing here
   * @throws RunsError that names the field that is missing or wrong and where it was looked for
   */
  async read(msg: NodeMessage, given: readonly string[] = []): Promise<Request> {
    const source = await this.evaluate(this.settings.property, this.settings.propertyType, msg, this.where);
    const asked = isObject(source) ? this.fieldsOf(source) : {};
    const params: Params = {};
    this.copy(asked, params);
    for (const [name, field] of Object.entries(this.settings.fields)) {
      if (!Object.hasOwn(this.method.parameters, name) || !isObject(field)) continue;
      const parameter = this.method.parameters[name] as Parameter;
      const value = await this.fieldValue(name, field, parameter, msg);
      if (value !== undefined) params[name] = value;
    }
    await this.addMessages(msg, source, params);
    this.checkAll(params, source, given);
    return {
      params,
      delivery: this.delivery(asked.stream),
      idempotencyKey: this.idempotencyKey(asked),
      startingAfter: this.startingAfter(asked),
    };
  }

  /**
   * What the user says: the form's message, or else a request that is no object of fields.
   * @throws RunsError where nothing is said to a new conversation: a run would cost and could not answer
   */
  private async addMessages(msg: NodeMessage, source: unknown, params: Params): Promise<void> {
    const { method, settings } = this;
    if (!method.addMessages) return;
    const { message, messageType } = settings;
    const said = message === '' ? source : await this.evaluate(message, messageType, msg, 'message');
    const messages = messagesOf(said);
    if (messages.length > 0) method.addMessages(params, messages);
    const isRequest = message === '' && isObject(said);
    // A run on a thread may answer what was said before.
    const goesOn = method.answers === 'run' && method.onThread && !isBlank(said);
    if (isRequest || !method.isSilent?.(params) || goesOn) return;
    const where = message === '' ? this.where : `${messageType}.${message}`;
    throw new RunsError(this.t('error.noMessage', { where }), { code: 'empty_message', param: 'message' });
  }

  /** The request object's own fields, each read once: what is checked is what is sent, even of a getter. */
  private fieldsOf(source: Record<string, unknown>): Record<string, unknown> {
    try {
      return idsOf(Object.fromEntries(Object.entries(source)), this.method);
    } catch (error) {
      throw this.unreadable(this.where, this.settings.propertyType, error);
    }
  }

  /** Takes from the request object what the method sends: known ids and query fields, any body field. */
  private copy(asked: Record<string, unknown>, params: Params): void {
    const idsElsewhere = new Set(['thread_id', 'run_id', 'step_id', 'message_id', 'assistant_id', 'stream']);
    const hasBody = Object.values(this.method.parameters).some(({ in: place }) => place === 'body');
    for (const [name, value] of Object.entries(asked)) {
      const known = Object.hasOwn(this.method.parameters, name);
      if (UNSAFE.has(name) || name === IDEMPOTENCY || name === STARTING_AFTER || value === undefined)
        continue;
      if (known || (hasBody && !idsElsewhere.has(name))) params[name] = value;
    }
  }

  private async fieldValue(
    name: string,
    field: Field,
    parameter: Parameter,
    msg: NodeMessage,
  ): Promise<unknown> {
    if (field.value === '' || field.value === undefined || field.value === null) return undefined;
    const value = await this.evaluate(field.value, field.type, msg, name);
    if (value === '' || value === undefined) return undefined;
    return field.type === 'str' || field.type === 'env' ? coerce(value, parameter) : value;
  }

  /** Reads a typedInput's value, whatever its type. */
  private evaluate(value: string, type: Field['type'], msg: NodeMessage, name: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown) => {
        // A path that leads nowhere is a value that is not there.
        if (STORED.has(type) && error instanceof TypeError) resolve(undefined);
        else reject(this.unreadable(name, type, error));
      };
      try {
        this.RED.util.evaluateNodeProperty(value, type, this.node, msg, (error, result) =>
          error ? refuse(error) : resolve(result),
        );
      } catch (error) {
        refuse(error);
      }
    });
  }

  private unreadable(field: string, type: string, error: unknown): RunsError {
    const reason =
      error instanceof Error ? error.message : String((error as { message?: string })?.message ?? error);
    return new RunsError(this.t('error.badExpression', { field, type, reason }), {
      code: 'invalid_request',
      param: field,
    });
  }

  private checkAll(params: Params, source: unknown, given: readonly string[]): void {
    const looked = isObject(source)
      ? this.where
      : this.t('error.whereNot', { where: this.where, got: nameOf(source) });
    for (const [name, parameter] of Object.entries(this.method.parameters)) {
      const value = params[name];
      if (value === undefined || value === '') {
        delete params[name];
        if (!parameter.required || given.includes(name)) continue;
        this.refuseMissing(name, looked);
      }
      params[name] = this.accepted(name, value, parameter);
    }
    for (const [name, value] of Object.entries(params)) {
      if (Object.hasOwn(this.method.parameters, name)) continue;
      params[name] = this.accepted(name, value, ANYTHING);
    }
  }

  private accepted(name: string, value: unknown, parameter: Parameter): unknown {
    const accepted = accept(value, parameter);
    if ('key' in accepted) this.refuse(name, accepted);
    return accepted.value;
  }

  /** What the form calls a field. */
  private labelOf(name: string): string {
    return this.t(`field.${name as Below<RunsText, 'field'>}`);
  }

  private refuseMissing(name: string, where: string): never {
    const field = Object.hasOwn(this.settings.fields, name) ? this.settings.fields[name] : undefined;
    const values = { label: this.labelOf(name), field: name, where, form: `${field?.type}.${field?.value}` };
    throw new RunsError(this.t(field?.value ? 'error.missingThere' : 'error.missing', values), {
      code: 'missing_required_parameter',
      param: name,
    });
  }

  private refuse(name: string, { key, ...values }: Refusal): never {
    const inForm = Boolean(this.settings.fields[name]?.value);
    const field = inForm ? this.labelOf(name) : name;
    const where = inForm ? this.t('error.form') : this.where;
    throw new RunsError(this.t(`error.${key}`, { field, where, ...values }), {
      code: 'invalid_request',
      param: name,
    });
  }

  private idempotencyKey({ [IDEMPOTENCY]: key }: Record<string, unknown>): string | undefined {
    if (key === undefined || key === null || this.method.repeatable) return undefined;
    if (typeof key !== 'string') {
      this.refuse(IDEMPOTENCY, { key: 'badType', expected: 'string', got: nameOf(key) });
    }
    if (!HEADER_TEXT.test(key)) this.refuse(IDEMPOTENCY, { key: 'badId', expected: 'string', got: key });
    return key;
  }

  private startingAfter({ [STARTING_AFTER]: number }: Record<string, unknown>): number | undefined {
    if (number === undefined || number === null || this.method.id !== 'getRun') return undefined;
    if (!Number.isSafeInteger(number)) {
      this.refuse(STARTING_AFTER, { key: 'badType', expected: 'integer', got: nameOf(number) });
    }
    return number as number;
  }

  /** `stream: true` in the request asks for the stream delivery, false for none. */
  private delivery(asked: unknown): Delivery {
    if (!this.method.delivers) return 'start';
    if (asked === undefined || asked === null) return this.settings.delivery;
    if (typeof asked !== 'boolean') {
      this.refuse('stream', { key: 'badType', expected: 'boolean', got: nameOf(asked) });
    }
    if (asked) return 'stream';
    return this.settings.delivery === 'stream' ? 'wait' : this.settings.delivery;
  }
}
