/**
 * Why a model could not answer, a sentence each: the cause first, what to do, the address last. Key and values travel
 * with the error, for those who word it in another language (docs: the run's states). Never holds a key.
 */
export const FAULTS = {
  keyRefused: 'The key was refused (401). Check it in the service. (__address__)',
  notThere: 'There is nothing at this address (404). Check it in the service. (__address__)',
  said: 'The provider says: __said__ (__status__, __address__)',
  noModel:
    'No model is chosen, and the provider has none called default. Choose one in the service. (__status__, __address__)',
  status: 'The provider failed. (__status__, __address__)',
  failed: 'The provider failed in its answer: __said__ (__address__)',
  notListening: 'Nothing listens there. Is the model server running? (__address__)',
  unknownHost: 'The host name is not known. (__address__)',
  noWay: 'There is no way to this host. (__address__)',
  noAnswer: 'The host does not answer. (__address__)',
  tooSilent: 'The provider stayed silent for too long. (__address__)',
  silent: 'The provider stayed silent for __seconds__ s. (__address__)',
  certificate: 'The TLS certificate is not trusted. (__address__)',
  noTls: 'The server does not speak TLS. Should the address begin with http:// ? (__address__)',
  noHttp: 'The server does not speak HTTP. Should the address begin with https:// ? (__address__)',
  closed: 'The connection was closed before an answer came. (__address__)',
  lost: 'The connection was lost in the middle of the answer. (__address__)',
  unusable: "The answer can't be used: __reason__ (__address__)",
  webPage: "A web page came instead of a model's reply. Check the address in the service. (__address__)",
  notJson:
    "Something that is not JSON came instead of a model's reply. Check the address in the service. (__address__)",
  unreadable: "The answer has a form that can't be read: __reason__ (__address__)",
  tooLong: 'The answer has more than __megabytes__ MB. (__address__)',
  brokenOff: 'The answer ended before the model had finished. (__address__)',
  badAddress: "The provider's address is no http or https address.",
  badAccount: "The name or password in the provider's address has a % that must be written as %25.",
  badCharacter: "The API key or a header of the service holds a character that HTTP can't carry.",
  longTurn: 'The model said more than __megabytes__ MB in one turn.',
  noEnd: 'The model ended its answer without saying so.',
  manyCalls: 'The model made more than __count__ calls in one turn.',
  namelessCall: 'The model called a function without naming it.',
  badArguments: 'The model called __tool__ with arguments that are not a JSON object: __sample__',
  noTool:
    'A Chat-Completions server has no __tool__. Take this tool from the assistant, or choose the provider OpenAI Responses.',
  noChoice: "The tool choice names __tool__, which this run's provider does not have.",
  noFile: "A Chat-Completions server can't open files (__file__). Send pictures as image_url, texts as text.",
  rehearsedFailure: 'The rehearsal model was asked to fail.',
  rehearsedLimit: 'The rehearsal model was asked to exceed its rate limit.',
  rehearsedSchema:
    "The rehearsal model can't make a value for this schema: __reason__. A default, an enum or an example there helps; so does a real model.",
  later: '__message__ It can be asked again in __seconds__ s, when the run has expired.',
} as const;

export type FaultKey = keyof typeof FAULTS;

/** One of the sentences, and what its placeholders stand for. */
export interface Fault {
  key: FaultKey;
  values: Readonly<Record<string, string | number>>;
}

/** The sentence in English. */
export function wordFault({ key, values }: Fault): string {
  return FAULTS[key].replace(/__(\w+?)__/g, (placeholder, name) => String(values[name] ?? placeholder));
}
