/** The Runs node in the editor. */

import { harmless } from '../shared/editor/texts.ts';
import { assistantName } from './editor/assistants.ts';
import { offerConversion } from './editor/convert/index.ts';
import { cancel, findsItself, prepare, save, sourceOf } from './editor/dialog.ts';
import { checkFields, type SavedFields } from './editor/fields.ts';
import { makeReady } from './editor/first-drop.ts';
import { foldHelp } from './editor/help-fold.ts';
import { text } from './editor/i18n.ts';
import { type OutputSettings, outputKinds } from './editor/outputs.ts';
import { findBy } from './editor/palette-words.ts';
import { watchWires } from './editor/upstream.ts';
import { atLeast, checkMethod, checkTyped } from './editor/validate.ts';
import type { MethodId } from './methods/method.ts';
import { VERSION } from './migrations/index.ts';
import { CHOICES, NUMBERS, TEXTS } from './settings.ts';

const number = (name: keyof typeof NUMBERS) => ({
  value: NUMBERS[name].value,
  validate: atLeast(NUMBERS[name].min),
});

findBy('openai-runs');
foldHelp();

RED.nodes.registerType('openai-runs', {
  category: 'AI',
  color: '#a9d8cf',
  // Everything that a flow saves; written inline, as tools that read flows without running this look for it here.
  defaults: {
    name: { value: '' },
    version: { value: VERSION },
    service: { value: '', type: 'openai-runs-service', required: true },
    method: { value: TEXTS.method, required: true, validate: checkMethod },
    message: { value: TEXTS.message, validate: checkTyped('messageType') },
    messageType: { value: CHOICES.messageType[0] },
    property: { value: TEXTS.property, validate: checkTyped('propertyType') },
    propertyType: { value: CHOICES.propertyType[0] },
    fields: {
      value: {},
      validate(fields: SavedFields, _options: object) {
        return checkFields(this.method, fields, {
          source: () => sourceOf(this, this.property, this.propertyType),
          optional: (field) => findsItself(this.method, field, this.conversation),
        });
      },
    },
    delivery: { value: CHOICES.delivery[0] },
    // New nodes give the reply; those of before, without a word about it, the run.
    result: { value: 'text' },
    streamed: { value: CHOICES.streamed[0] },
    tools: { value: false },
    toolTimeout: number('toolTimeout'),
    maxToolRounds: number('maxToolRounds'),
    conversation: { value: TEXTS.conversation, validate: checkTyped('conversationType') },
    conversationType: { value: TEXTS.conversationType },
    busy: { value: CHOICES.busy[0] },
    deadline: number('deadline'),
    cancelOnClose: { value: false },
    failures: { value: CHOICES.failures[0] },
    paging: { value: CHOICES.paging[0] },
    maxItems: number('maxItems'),
    coalesce: number('coalesce'),
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
  onadd() {
    makeReady(this);
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
offerConversion();
