/** A typedInput for JSON with the expand editor, a check of its own, and nothing wrong with being empty. */

/** The type, for a typedInput's `types`. */
export function jsonType(
  label: string,
  validate: (value: string) => true | string,
  value = 'json',
): TypedInputType {
  return {
    value,
    label,
    icon: 'red/images/typedInput/json.svg',
    validate,
    expand() {
      RED.editor.editJSON({
        value: indented(this.value()),
        focus: true,
        complete: (edited) => this.value(compact(edited)),
      });
    },
  };
}

function indented(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value), null, 4);
  } catch {
    return value;
  }
}

function compact(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value));
  } catch {
    return value.replace(/\n\s*/g, ' ');
  }
}

/** What a text holds as JSON; undefined where it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A response format of a schema; name, strictness and description of the one before stay. */
export function schemaFormat(schema: object, before: unknown): object {
  const { json_schema } = (before ?? {}) as { json_schema?: object };
  return { type: 'json_schema', json_schema: { name: 'answer', strict: true, ...json_schema, schema } };
}
