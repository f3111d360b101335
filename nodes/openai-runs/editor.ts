/** The Runs node in the editor. */

import { harmless } from '../shared/editor/texts.ts';
import { assistantName } from './editor/assistants.ts';
import { cancel, findsItself, prepare, save, sourceOf } from './editor/dialog.ts';
import { checkFields, type SavedFields } from './editor/fields.ts';
import { text } from './editor/i18n.ts';
import { type OutputSettings, outputKinds } from './editor/outputs.ts';
import { watchWires } from './editor/upstream.ts';
import { atLeast, checkMethod, checkTyped } from './editor/validate.ts';
import type { MethodId } from './methods/method.ts';

RED.nodes.registerType('openai-runs', {
  category: 'AI',
  color: '#a9d8cf',
  // Everything that a flow saves; written inline, as tools that read flows without running this look for it here.
  defaults: {
    name: { value: '' },
    service: { value: '', type: 'openai-runs-service', required: true },
    method: { value: 'createThreadAndRun', required: true, validate: checkMethod },
    property: { value: 'payload', validate: checkTyped('propertyType') },
    propertyType: { value: 'msg' },
    fields: {
      value: {},
      validate(fields: SavedFields, _options: object) {
        return checkFields(this.method, fields, {
          source: () => sourceOf(this, this.property, this.propertyType),
          optional: (field) => findsItself(this.method, field, this.conversation),
        });
      },
    },
    delivery: { value: 'wait' },
    result: { value: 'run' },
    tools: { value: false },
    toolTimeout: { value: 60, validate: atLeast(0) },
    maxToolRounds: { value: 10, validate: atLeast(1) },
    conversation: { value: '', validate: checkTyped('conversationType') },
    conversationType: { value: 'msg' },
    busy: { value: 'queue' },
    deadline: { value: 0, validate: atLeast(0) },
    cancelOnClose: { value: false },
    failures: { value: 'catch' },
    paging: { value: 'page' },
    maxItems: { value: 1000, validate: atLeast(1) },
    coalesce: { value: 0, validate: atLeast(0) },
    outputs: { value: 1 },
  },
  inputs: 1,
  outputs: 1,
  icon: 'openai-runs.svg',
  paletteLabel: () => text('palette'),
  label() {
    if (this.name) return this.name;
    const method = text(`method.${this.method as MethodId}.name`);
    const assistant = this.fields?.assistant_id;
    if (assistant?.type !== 'str' || !assistant.value) return method;
    return `${method}: ${harmless(assistantName(this.service, assistant.value))}`;
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  outputLabels(index) {
    const kind = outputKinds(this as unknown as OutputSettings)[index];
    return kind && text(`output.${kind}`);
  },
  oneditprepare() {
    prepare(this);
  },
  oneditsave() {
    save(this);
  },
  oneditcancel: cancel,
});

watchWires('openai-runs');
