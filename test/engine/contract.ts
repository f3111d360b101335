/** Judges objects and events by the contract's schema, where the contract lies beside the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Frame, Json } from './support.ts';

const FILE = fileURLToPath(new URL('../../../shared/contract/runs-openapi.normalized.json', import.meta.url));

export const contractIsHere = existsSync(FILE);

/** Where every recording differs from the spec (lifecycle.md §1), and nothing else. */
function asRecorded(schemas: Record<string, Json>): void {
  schemas.RunObject.properties.instructions = { anyOf: [{ type: 'string' }, { type: 'null' }] };
  schemas.RunObject.properties.max_completion_tokens = {
    anyOf: [{ type: 'integer', minimum: 16 }, { type: 'null' }],
  };
  for (const name of Object.keys(schemas).filter((key) => /^List.*Response$/.test(key))) {
    for (const id of ['first_id', 'last_id']) {
      schemas[name].properties[id] = { anyOf: [{ type: 'string' }, { type: 'null' }] };
    }
  }
}

export class Contract {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();
  /** Name of an event → schema of its data. */
  readonly #events = new Map<string, string>();

  readonly #paths: Record<string, object>;

  constructor() {
    const document = JSON.parse(readFileSync(FILE, 'utf8'));
    this.#paths = document.paths;
    asRecorded(document.components.schemas);
    this.#ajv.addSchema({ $id: 'contract', ...document });
    for (const group of ['Thread', 'Run', 'RunStep', 'Message']) {
      for (const { properties } of document.components.schemas[`${group}StreamEvent`].oneOf) {
        this.#events.set(properties.event.enum[0], properties.data.$ref.split('/').at(-1));
      }
    }
    this.#events.set('error', 'Error');
  }

  operations(): { method: string; path: string }[] {
    return Object.entries(this.#paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
  }

  /** @throws Error that names what is wrong with the value. */
  check(schema: string, value: unknown): void {
    let validate = this.#validators.get(schema);
    if (!validate) {
      validate = this.#ajv.compile({ $ref: `contract#/components/schemas/${schema}` });
      this.#validators.set(schema, validate);
    }
    if (validate(value)) return;
    throw new Error(
      `Not a ${schema}: ${this.#ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 1)}`,
    );
  }

  /** Judges an event's data by the schema that its name stands for. */
  checkFrame({ event, data }: Frame): void {
    const schema = event === 'done' ? 'DoneEvent' : this.#events.get(event);
    if (!schema) throw new Error(`No such event: ${event}`);
    this.check(schema, event === 'done' ? { event, data } : data);
  }
}
