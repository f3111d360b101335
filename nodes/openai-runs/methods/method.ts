/** What a method is: its parameters and the one call of the SDK that it makes. Loads nothing. */
import type OpenAI from 'openai';
import type { Stream } from 'openai/streaming';
import type { Range } from '../../../engine/domain/limits.ts';

type RequestOptions = OpenAI.RequestOptions;

export type MethodId =
  | 'createRun'
  | 'createThreadAndRun'
  | 'getRun'
  | 'listRuns'
  | 'modifyRun'
  | 'cancelRun'
  | 'submitToolOutputsToRun'
  | 'serveTools'
  | 'listRunSteps'
  | 'getRunStep'
  | 'createThread'
  | 'getThread'
  | 'modifyThread'
  | 'deleteThread'
  | 'createMessage'
  | 'listMessages'
  | 'getMessage'
  | 'modifyMessage'
  | 'deleteMessage'
  | 'createAssistant'
  | 'listAssistants'
  | 'getAssistant'
  | 'modifyAssistant'
  | 'deleteAssistant'
  | 'listModels'
  | 'watchRuns';

/** Where the dialog lists a method, in this order. */
export const GROUPS = ['runs', 'steps', 'threads', 'messages', 'assistants'] as const;

export type ParameterType = 'id' | 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';

/** One field of a request, under the API's own name. */
export interface Parameter {
  /** Where it travels: an id in the path, a query field, or a field of the JSON body. */
  in: 'path' | 'query' | 'body';
  /** What it may be; several where the API takes several. */
  type: ParameterType | readonly ParameterType[];
  required?: true;
  /** Whether the API takes null as a value of its own. */
  nullable?: true;
  /** What every entry of an array must be. */
  items?: 'string' | 'object';
  /** The only texts allowed (an object is still allowed where `type` says so). */
  enum?: readonly string[];
  /** What a number must lie within, the bounds included. */
  range?: Range;
}

/**
 * One entry for each field of the SDK's own parameter type: a field that comes or goes there fails the type
 * check here. `stream` is not a field of the form, it is the node's delivery.
 */
export type Parameters<SdkParams> = {
  readonly [Field in Exclude<keyof Required<SdkParams>, 'stream'>]: Parameter;
};

/** A request's fields, checked against the method's table and without anything the method does not send. */
export interface Params {
  thread_id?: string;
  run_id?: string;
  [field: string]: unknown;
}

export type RunEvent = OpenAI.Beta.AssistantStreamEvent;
export type Run = OpenAI.Beta.Threads.Run;
export type Message = OpenAI.Beta.Threads.Message;
export type RunStep = OpenAI.Beta.Threads.Runs.RunStep;

/** Any object of the API, or what is left of a deleted one. */
export interface ApiObject {
  id: string;
}

/** A message to be added: what somebody said. */
export interface NewMessage {
  role: 'user' | 'assistant';
  // biome-ignore lint/suspicious/noExplicitAny: a text, or parts that the API checks
  content: any;
}

/** A call that has been sent: its parsed answer, and the raw response for headers. */
export interface Sent<Answer> extends PromiseLike<Answer> {
  withResponse(): Promise<{ data: Answer; response: Response; request_id: string | null }>;
}

/** A list page as the SDK hands it over. */
export interface Page {
  data: { id: string }[];
  has_more?: boolean;
  hasNextPage(): boolean;
  getNextPage(): Promise<Page>;
}

interface Common<P> {
  readonly id: MethodId;
  /** Where the published description of the API has it; empty for what the API does not have. */
  readonly reference: string;
  readonly group: (typeof GROUPS)[number];
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Whether the node's delivery (start, wait, stream) applies. */
  readonly delivers: boolean;
  /** Whether sending it twice does no harm; where it might, the SDK's retries stay off. */
  readonly repeatable: boolean;
  /** Puts in what the user says, unless the fields hold messages already; only where the method takes messages. */
  addMessages?(params: Partial<P>, messages: NewMessage[]): void;
  /** Whether there is nothing that the user says. */
  isSilent?(params: Partial<P>): boolean;
}

/** Sets a run going, or looks at one: answers with a run. */
export interface RunMethod<P = Params> extends Common<P> {
  readonly answers: 'run';
  /** Waits for runs that other programs start, and answers their tool calls; needs no message. */
  readonly serves?: true;
  /** Starts a run on a thread that exists: conversations and the rules for busy threads apply. */
  readonly onThread?: true;
  send(client: OpenAI, params: P, options: RequestOptions): Sent<Run>;
  /** The same request asked for as an event stream; absent where the API has none. */
  stream?(client: OpenAI, params: P, options: RequestOptions): Sent<Stream<RunEvent>>;
  /** The stream of a run that is going on; only the embedded engine has one. */
  rejoin?(client: OpenAI, params: P, options: RequestOptions): Sent<Stream<RunEvent>>;
}

export interface ListMethod<P = Params> extends Common<P> {
  readonly answers: 'list';
  send(client: OpenAI, params: P, options: RequestOptions): Sent<Page>;
}

/** Answers with one object, or with what is left of a deleted one. */
export interface ObjectMethod<P = Params> extends Common<P> {
  readonly answers: 'object' | 'deleted';
  /** What the API calls it. */
  readonly object: string;
  send(client: OpenAI, params: P, options: RequestOptions): Sent<ApiObject>;
}

/** Asks for nothing and needs no message: sends what the service tells by itself. */
export interface WatchMethod extends Common<Params> {
  readonly answers: 'watch';
}

/** A method that is a request of the API. */
export type ApiMethod = RunMethod | ListMethod | ObjectMethod;
export type Method = ApiMethod | WatchMethod;

/** One of the methods, as all others see it: what it is called with has been held against its parameters before. */
export const runMethod = <P>(method: RunMethod<P>): RunMethod => method as unknown as RunMethod;
export const listMethod = <P>(method: ListMethod<P>): ListMethod => method as unknown as ListMethod;
export const objectMethod = <P>(method: ObjectMethod<P>): ObjectMethod => method as unknown as ObjectMethod;
