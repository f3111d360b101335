/** Checks of the service's settings. The editor shows the reason only for functions that declare two parameters. */
import { ASSISTANT_ID, FUNCTION_NAME, LONGEST_FUNCTION_NAME } from '../../../engine/domain/limits.ts';
import { isServer, placeOf, SECRET_ADDRESS } from '../database-address.ts';
import { pathOf, SERVED_PATH } from '../settings.ts';
import { text } from './i18n.ts';

/** A declared assistant, as it is saved and as the API takes it. */
export interface Assistant {
  id: string;
  name?: string;
  model?: string;
  instructions?: string;
  tools?: unknown[];
  response_format?: unknown;
  temperature?: number;
  [field: string]: unknown;
}

/** Whether the setting is a `${NAME}` for the runtime to fill in. */
const isEnvironment = (value: unknown) => typeof value === 'string' && /\$\{[^}]+\}/.test(value);

/** Whether an address is needed: for a server and a chat model it is, OpenAI's own is known. */
export function needsUrl(service: { backend: string; provider: string }): boolean {
  return service.backend === 'server' || service.provider === 'chat';
}

export function usesUrl(service: { backend: string; provider: string }): boolean {
  return service.backend === 'server' || service.provider !== 'rehearsal';
}

/** The type of a typed field: as the open dialog has it, else as it is saved. The editor's own checks do the same. */
function typeOf(node: EditorNode, name: string): string {
  return String($(`#node-config-input-${name}Type`).val() ?? node[`${name}Type`] ?? '');
}

export function checkUrl(this: EditorNode, url: string, _options: object): true | string {
  const service = this as unknown as { backend: string; provider: string };
  if (!usesUrl(service) || isEnvironment(url)) return true;
  const type = typeOf(this, 'url');
  const isText = !['env', 'msg', 'flow', 'global'].includes(type);
  if (!url) return needsUrl(service) || !isText ? text('validation.urlMissing') : true;
  if (type === 'env') return true;
  if (!isText && service.backend === 'server') return RED.utils.validateTypedProperty(url, type, {});
  return /^https?:\/\/[^\s/]+/.test(url) ? true : text('validation.url');
}

/** A value that may come with each message: a place where it can stand, or nothing. */
export function checkPlace(name: 'organization' | 'project') {
  return function checkTyped(this: EditorNode, value: string, _options: object): true | string {
    const type = typeOf(this, name);
    if (this.backend !== 'server' || !value || !['msg', 'flow', 'global'].includes(type)) return true;
    return RED.utils.validateTypedProperty(value, type, {});
  };
}

/** Nothing but a name: who puts the key itself here by mistake is told. */
export function checkVariable(name: string): true | string {
  return /^(\w+|\$\{\w+\})$/.test(name) ? true : text('validation.keyVariable');
}

export function checkKeyVariable(this: EditorNode, name: string, _options: object): true | string {
  const service = this as unknown as { backend: string; provider: string };
  return typeOf(this, 'apiKey') === 'env' && usesUrl(service) ? checkVariable(name ?? '') : true;
}

export function checkDatabase(this: EditorNode, database: string, _options: object): true | string {
  if (this.backend === 'server' || !isServer(database ?? '') || database === SECRET_ADDRESS) return true;
  const { host, name, user } = placeOf(database);
  return host && name && user ? true : text('validation.database');
}

export function checkAuthName(this: EditorNode, name: string, _options: object): true | string {
  if (this.backend !== 'server' || this.auth === 'bearer' || name) return true;
  return text('validation.authName');
}

/**
 * The editor can't see whether a key is stored; but a service that was made in another's place has none, and says so
 * until its dialog has been closed once (`needsKey`, which is not saved).
 */
export function checkKey(this: EditorNode, _auth: string, _options: object): true | string {
  return this.backend === 'server' && this.needsKey ? text('validation.keyMissing') : true;
}

/** Whether other programs can be served at a path. */
export function checkPath(this: EditorNode, path: string | undefined, _options: object): true | string {
  if (!this.serve || !path || isEnvironment(path) || SERVED_PATH.test(pathOf(path))) return true;
  return text('serve.badPath', { path });
}

/** A number within its limits; nothing at all stands for the default. */
export function within({ min, max }: { min: number; max: number }) {
  return function checkNumber(this: EditorNode, value: unknown, _options: object): true | string {
    if (value === '' || value === undefined || isEnvironment(value)) return true;
    if (Number(value) >= min && Number(value) <= max) return true;
    return Number.isFinite(max)
      ? text('validation.between', { min, max })
      : text('validation.atLeast', { min });
  };
}

/** The first thing that is wrong with the declared assistants, by name. */
export function checkAssistants(
  this: EditorNode,
  assistants: Assistant[] | undefined,
  _options: object,
): true | string {
  if (this.backend === 'server') return true;
  const seen = new Set<string>();
  for (const { id, name, tools } of assistants ?? []) {
    const who = name || id;
    if (!id) return text('validation.assistantId', { name: who });
    if (!ASSISTANT_ID.test(id)) return text('validation.assistantBadId', { id });
    if (seen.has(id)) return text('validation.assistantTwice', { id });
    seen.add(id);
    const answer = checkTools(tools ?? []);
    if (answer !== true) return `${who}: ${answer}`;
  }
  return true;
}

/** Whether a name is one that the API allows for a function. */
function isFunctionName(name: unknown): boolean {
  return typeof name === 'string' && FUNCTION_NAME.test(name) && name.length <= LONGEST_FUNCTION_NAME;
}

/** What every tool must have: a type the API knows, and for a function a name it allows. */
export function checkTools(tools: unknown): true | string {
  if (!Array.isArray(tools)) return text('validation.toolsArray');
  for (const [index, tool] of tools.entries()) {
    const type = tool?.type;
    if (!['function', 'file_search', 'code_interpreter'].includes(type)) {
      return text('validation.toolType', { number: index + 1 });
    }
    if (type === 'function' && !isFunctionName(tool.function?.name)) {
      return text('validation.toolName', { number: index + 1 });
    }
    const schema = tool.function?.parameters;
    if (schema !== undefined && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
      return text('validation.toolParameters', { number: index + 1 });
    }
  }
  return true;
}

/** Checks a text that is to be JSON; an empty one is allowed. */
export function checkJson(value: string, then: (parsed: unknown) => true | string): true | string {
  if (value.trim() === '') return true;
  try {
    return then(JSON.parse(value));
  } catch (error) {
    return text('validation.json', { error: (error as Error).message });
  }
}
