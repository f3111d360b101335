/** Every parameter of the SDK's own types has its row in the form and its entry in the help, and no other has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';
import { methodHelp } from '../../locales/compose-help.ts';
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import type { MethodId } from '../../nodes/openai-runs/methods/method.ts';

const SDK = path.join(ROOT, 'node_modules/openai');

/** Where the SDK declares a method's parameters; ids that it takes as arguments are named beside. */
const SOURCES: Record<Exclude<MethodId, 'watchRuns'>, { file: string; type?: string; ids: string[] }> = {
  createRun: { file: 'runs/runs', type: 'RunCreateParamsBase', ids: ['thread_id'] },
  createThreadAndRun: { file: 'threads', type: 'ThreadCreateAndRunParamsBase', ids: [] },
  getRun: { file: 'runs/runs', type: 'RunRetrieveParams', ids: ['run_id'] },
  serveTools: { file: 'runs/runs', type: 'RunRetrieveParams', ids: ['run_id'] },
  listRuns: { file: 'runs/runs', type: 'RunListParams', ids: ['thread_id'] },
  modifyRun: { file: 'runs/runs', type: 'RunUpdateParams', ids: ['run_id'] },
  cancelRun: { file: 'runs/runs', type: 'RunCancelParams', ids: ['run_id'] },
  submitToolOutputsToRun: { file: 'runs/runs', type: 'RunSubmitToolOutputsParamsBase', ids: ['run_id'] },
  listRunSteps: { file: 'runs/steps', type: 'StepListParams', ids: ['run_id'] },
  getRunStep: { file: 'runs/steps', type: 'StepRetrieveParams', ids: ['step_id'] },
  createThread: { file: 'threads', type: 'ThreadCreateParams', ids: [] },
  getThread: { file: 'threads', ids: ['thread_id'] },
  modifyThread: { file: 'threads', type: 'ThreadUpdateParams', ids: ['thread_id'] },
  deleteThread: { file: 'threads', ids: ['thread_id'] },
  createMessage: { file: 'messages', type: 'MessageCreateParams', ids: ['thread_id'] },
  listMessages: { file: 'messages', type: 'MessageListParams', ids: ['thread_id'] },
  getMessage: { file: 'messages', type: 'MessageRetrieveParams', ids: ['message_id'] },
  modifyMessage: { file: 'messages', type: 'MessageUpdateParams', ids: ['message_id'] },
  deleteMessage: { file: 'messages', type: 'MessageDeleteParams', ids: ['message_id'] },
  createAssistant: { file: '../assistants', type: 'AssistantCreateParams', ids: [] },
  listAssistants: { file: '../assistants', type: 'AssistantListParams', ids: [] },
  getAssistant: { file: '../assistants', ids: ['assistant_id'] },
  modifyAssistant: { file: '../assistants', type: 'AssistantUpdateParams', ids: ['assistant_id'] },
  deleteAssistant: { file: '../assistants', ids: ['assistant_id'] },
  listModels: { file: '../../models', ids: [] },
};

interface Declared {
  required: boolean;
  type: string;
}

/** The fields of an interface in a .d.ts file, those of the page cursor included where it extends that. */
function declared(file: string, type: string): Map<string, Declared> {
  const source = readFileSync(path.join(SDK, file), 'utf8');
  const found = new RegExp(`export interface ${type}\\b([^{]*)\\{\\n([\\s\\S]*?)\\n\\}`).exec(source);
  assert(found, `${file} declares no ${type}`);
  const fields = new Map<string, Declared>();
  if (found[1]?.includes('CursorPageParams')) {
    for (const field of declared('core/pagination.d.ts', 'CursorPageParams')) fields.set(...field);
  }
  for (const [, name, optional, text] of found[2]?.matchAll(/^ {4}(\w+)(\??): ([^;]+);/gm) ?? []) {
    if (name && text) fields.set(name, { required: optional === '', type: text });
  }
  return fields;
}

function expected(id: MethodId): Map<string, Declared> {
  const { file, type, ids } = SOURCES[id as keyof typeof SOURCES];
  const fields = type ? declared(`resources/beta/threads/${file}.d.ts`, type) : new Map<string, Declared>();
  // Whether a run is streamed is the node's delivery.
  fields.delete('stream');
  for (const name of ids) fields.set(name, { required: true, type: 'string' });
  return fields;
}

const template = (id: string) =>
  readFileSync(path.join(ROOT, `nodes/openai-runs/methods/${id}/template.html`), 'utf8');

const sorted = (names: Iterable<string>) => [...names].sort();

/** The choices of a type that is a list of texts. */
const choices = (type: string) => Array.from(type.matchAll(/'([^']+)'/g), ([, value]) => value ?? '');

describe('parameters of the form and the help', () => {
  for (const method of methods) {
    const { id, parameters } = method;
    const help = methodHelp(method, 'en-US');
    describe(id, () => {
      const fields = expected(id);

      it('has a row for each in the form, once', () => {
        const rows = Array.from(template(id).matchAll(/data-field="(\w+)"/g), ([, name]) => name ?? '');
        assert.deepEqual(sorted(rows), sorted(fields.keys()));
      });

      it('explains each in the help, and says which are required', () => {
        const entries = Array.from(
          help.matchAll(/<dt( class="optional")?>(\w+) <span class="property-type">[^<]+<\/span>/g),
          ([, optional, name]) => ({ name: name ?? '', required: !optional }),
        );
        assert.deepEqual(sorted(entries.map(({ name }) => name)), sorted(fields.keys()));
        for (const { name, required } of entries) assert.equal(required, fields.get(name)?.required, name);
      });

      it('offers and explains the same choices as the SDK', () => {
        for (const [name, { type }] of fields) {
          // A model is any text, whatever names the SDK knows.
          for (const choice of name === 'model' ? [] : choices(type)) {
            assert(parameters[name]?.enum?.includes(choice), `${name} does not offer ${choice}`);
            assert(help.includes(`<code>${choice}</code>`), `${name}: ${choice} is not explained`);
          }
        }
      });

      it('gives a payload to copy that is JSON and names only parameters', () => {
        const payload = JSON.parse(/<pre>([\s\S]+?)<\/pre>/.exec(help)?.[1] ?? '');
        for (const name of Object.keys(payload)) assert(fields.has(name), `${name} is no parameter`);
        for (const [name, { required }] of fields) {
          assert(!required || name in payload, `${name} is missing in the payload`);
        }
      });
    });
  }
});
