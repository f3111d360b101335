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
