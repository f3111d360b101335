/** The dialog of a Runs node: joins method, fields, sections and outputs. */

import { nameParts } from '../../shared/editor/name-parts.ts';
import { everyMethod, findMethod } from '../methods/index.ts';
import { GROUPS, type MethodId } from '../methods/method.ts';
import { VERSION } from '../migrations/index.ts';
import { type Delivery, NUMBERS, type RunsNodeDef, readSettings, type Settings } from '../settings.ts';
import { assistantsOf, forgetAssistants, functionsOf, modelsOf } from './assistants.ts';
import { type FieldContext, FieldRows, type SavedFields } from './fields.ts';
import { onlyAssistant } from './first-drop.ts';
import { text } from './i18n.ts';
import { type OutputKind, outputKinds, outputMap } from './outputs.ts';
import { type DialogState, deliveries, type Section, sections } from './sections.ts';
import { type DeclaredFunction, makeToolFlow } from './tool-flow.ts';
import { getsPlainPayload, isWired } from './upstream.ts';

/** The settings of a section: they go back to what they start with when it does not apply to the method. */
const SETTINGS_OF: Partial<Record<Section, readonly (keyof Settings)[]>> = {
  delivery: ['delivery'],
  message: ['message'],
  stream: ['streamed', 'coalesce'],
  result: ['result'],
  tools: ['tools'],
  toolLimits: ['toolTimeout', 'maxToolRounds'],
  busy: ['busy'],
  limits: ['failures', 'deadline'],
  cancelOnClose: ['cancelOnClose'],
  paging: ['paging'],
  maxItems: ['maxItems'],
};

/** What a setting starts with. */
const DEFAULTS = readSettings({} as RunsNodeDef);

let open: { rows: FieldRows; outputs: OutputKind[]; toolsWired: boolean; wantsToolFlow: boolean } | undefined;

const input = (name: string) => $(`#node-input-${name}`);
const entered = (name: string) => String(input(name).val() ?? '');
const checked = (selector: string) => $(selector).is(':checked');

/** Where an empty field is looked for, as a person writes it; empty when it can't be there. */
export function sourceOf(node: EditorNode, property: string, type: string): string {
  const source = `${type || 'msg'}.${property || 'payload'}`;
  return source === 'msg.payload' && getsPlainPayload(node) ? '' : source;
}

/** Whether a field that the API asks for is found by the node itself: a conversation's thread, what the user says. */
export function findsItself(methodId: string, field: string, conversation: string): boolean {
  if (methodId === 'createMessage') return field === 'role' || field === 'content';
  return methodId === 'createRun' && field === 'thread_id' && conversation !== '';
}

export function prepare(node: EditorNode): void {
  forgetAssistants();
  fillMethods(node.method);
  // A flow written by hand or by an older version may lack some.
  for (const name of Object.values(SETTINGS_OF).flat()) {
    if (node[name] === undefined) set(name, DEFAULTS[name]);
  }
  if (!node.property) set('property', DEFAULTS.property);
  prepareMessage();
  input('property').typedInput({ types: ['msg', 'flow', 'global'], typeField: '#node-input-propertyType' });
  nameParts(input('property').parent(), 'runs-property', text('label.property'));
  prepareConversation(node);
  const context: FieldContext = {
    isOpen: () => open?.rows === rows,
    source: () => sourceOf(node, entered('property'), entered('propertyType')),
    optional: (field) => findsItself(entered('method'), field, conversation()),
    assistants: () => assistantsOf(entered('service')),
    models: () => modelsOf(entered('service')),
    makeAssistant,
  };
  const rows: FieldRows = new FieldRows($('#runs-fields'), (node.fields ?? {}) as SavedFields, context);
  const outputs = outputKinds(node as unknown as DialogState);
  open = { rows, outputs, toolsWired: isWired(node, outputs.indexOf('tools')), wantsToolFlow: false };

  input('method').on('change', () => {
    rows.show(entered('method'));
    offerDeliveries();
    showSections();
  });
  $('#node-input-delivery, #node-input-tools, #node-input-paging').on('change', showSections);
  $('#runs-conversation').on('change', showSections);
  $('#runs-make-flow button').on('click', makeFlow);
  input('property').on('change', () => rows.refresh());
  $('#runs-fields').on('change', () => showToolsOff(sections(state()).tools));
  input('service').on('change', () => takeService(rows));
  rows.show(entered('method'));
  offerDeliveries(node.delivery);
  showSections();
}

/** Writes what has no input of its own; settings that do not apply go back to their defaults. */
export function save(node: EditorNode): void {
  if (!open) return;
  // The value of a disabled option would count as none.
  input('delivery').children().prop('disabled', false);
  node.fields = open.rows.collect();
  if (!checked('#runs-conversation') || !sections(state()).conversation) input('conversation').val('');
  const applies = sections(state());
  for (const [section, settings] of Object.entries(SETTINGS_OF)) {
    if (!applies[section as Section]) for (const name of settings) set(name, DEFAULTS[name]);
  }
  // Inputs hold texts; saved are numbers.
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    if (entered(name) === '') set(name, DEFAULTS[name]);
    node[name] = Number(entered(name));
  }
  node.version = VERSION;
  if (open.wantsToolFlow) {
    const functions = chosenFunctions();
    const output = outputKinds(state()).indexOf('tools');
    // The editor gives the node its new output first.
    setTimeout(() => makeToolFlow(node, output, functions));
  }
  open = undefined;
}

export function cancel(): void {
  open = undefined;
}

/** Says so where an assistant may call functions and nothing takes the calls, and offers to make what does. */
function showToolsOff(apply: boolean): void {
  const has = apply && chosenFunctions().length > 0;
  const ticked = checked('#node-input-tools');
  $('#runs-tools-off').toggle(has && !ticked);
  $('#runs-make-flow').toggle(has && !(ticked && open?.toolsWired));
}

function chosenFunctions(): DeclaredFunction[] {
  return functionsOf(entered('service'), open?.rows.chosenAssistant ?? '');
}

/** Closes the dialog with what it says; what answers the functions is put onto the canvas when that is saved. */
function makeFlow(): void {
  if (!open) return;
  open.wantsToolFlow = true;
  input('tools').prop('checked', true).trigger('change');
  $('#node-dialog-ok').trigger('click');
}

/** Opens the service at a new assistant; once it is saved there, it is chosen here. */
function makeAssistant(): void {
  $(document.body).data('runs-new-assistant', true);
  $('#node-input-edit-service, #node-input-btn-service-edit').first().trigger('click');
}

/** The service was chosen, or its dialog has been closed with a change. */
function takeService(rows: FieldRows): void {
  forgetAssistants();
  const made = $(document.body).data('runs-made-assistant') as string | undefined;
  $(document.body).removeData('runs-made-assistant');
  showSections();
  rows.offerAssistants(made ?? onlyAssistant(RED.nodes.node(entered('service'))));
}

function set(name: string, value: unknown): void {
  if (typeof value === 'boolean') input(name).prop('checked', value);
  else input(name).val(String(value));
}

/** Filled here, not in the html, so that a method needs no line there. */
function fillMethods(chosen: string): void {
  const select = input('method').empty();
  for (const group of GROUPS) {
    const options = $('<optgroup>', { label: text(`group.${group}`) }).appendTo(select);
    for (const { id } of everyMethod.filter((method) => method.group === group)) {
      $('<option>', { value: id })
        .text(text(`method.${id}.name`))
        .appendTo(options);
    }
  }
  select.val(findMethod(chosen) ? chosen : 'createThreadAndRun');
}

/** What the user says: left empty, it is what the request brings. */
function prepareMessage(): void {
  const types = ['msg', 'str', 'flow', 'global', 'env', 'jsonata'];
  input('message').typedInput({ types, typeField: '#node-input-messageType' });
  nameParts(input('message').parent(), 'runs-message', text('label.message'));
  const visible = input('message').parent().find('input.red-ui-typedInput-input');
  const hint = () => {
    const type = String(input('messageType').val());
    visible.attr('placeholder', type === 'msg' ? entered('property') || 'payload' : '');
  };
  input('message').on('change', hint);
  hint();
}

function prepareConversation(node: EditorNode): void {
  const row = $('#runs-conversation-row');
  input('conversation').typedInput({
    types: ['msg', 'flow', 'global', 'str', 'env', 'jsonata'],
    typeField: '#node-input-conversationType',
  });
  nameParts(row, 'runs-conversation-key', text('label.conversationKey'));
  $('#runs-conversation').prop('checked', Boolean(node.conversation));
  if (!node.conversation) input('conversation').typedInput('value', 'topic');
}

function conversation(): string {
  return checked('#runs-conversation') ? entered('conversation') : '';
}

function state(): DialogState {
  return {
    method: entered('method'),
    delivery: entered('delivery'),
    tools: checked('#node-input-tools'),
    paging: entered('paging'),
    isRemote: RED.nodes.node(entered('service'))?.backend === 'server',
  };
}

/** Offers only what the method can do, and keeps the choice where it can be kept. */
function offerDeliveries(wanted = entered('delivery')): void {
  const offered = deliveries(entered('method'));
  input('delivery')
    .children()
    .each((_, element) => {
      const option = $(element);
      const shown = offered.includes(String(option.val()));
      option.prop('disabled', !shown).toggle(shown);
    });
  if (offered.length) input('delivery').val(offered.includes(wanted) ? wanted : 'wait');
}

function showSections(): void {
  const applies = sections(state());
  for (const [section, shown] of Object.entries(applies)) $(`[data-section="${section}"]`).toggle(shown);
  $('#runs-conversation-row').toggle(checked('#runs-conversation'));
  $('#runs-method-hint').text(text(`method.${entered('method') as MethodId}.hint`));
  $('#runs-tools-unwired').toggle(applies.toolLimits && open?.toolsWired === false);
  showToolsOff(applies.tools);
  const chosen = entered('delivery') as Delivery;
  const looks = entered('method') === 'getRun' && chosen !== 'stream';
  const delivery = looks ? (`getRun.${chosen}` as const) : chosen;
  $('#runs-delivery-hint').text(applies.delivery ? text(`hint.delivery.${delivery}`) : '');
  if (open) {
    open.rows.refresh();
    input('outputs')
      .val(JSON.stringify(outputMap(open.outputs, outputKinds(state()))))
      .trigger('change');
  }
  RED.tray.resize();
}
