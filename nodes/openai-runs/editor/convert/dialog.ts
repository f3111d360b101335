/** The converter's dialog: what was found, what becomes of it, and what stays. */
import { harmless } from '../../../shared/editor/texts.ts';
import { findMethod } from '../../methods/index.ts';
import type { MethodId } from '../../methods/method.ts';
import { text } from '../i18n.ts';
import { type FlowNode, SERVICE } from './flow.ts';
import { planConversion, type Target } from './plan.ts';
import { replaceNodes } from './replace.ts';
import { convertible, left, type OldHost, type OldNode, type Survey, survey, targetsOf } from './survey.ts';

/** Pixels. */
const WIDTH = 640;
/** Milliseconds that the outcome is shown. */
const SHOWN = 10_000;

/** Looks through the workspace and shows what can be converted. */
export function openConverter(): void {
  // What is being edited can't be replaced.
  if ($('.red-ui-tray').length > 0) return;
  const found = survey(RED.nodes.createCompleteNodeSet({ credentials: false }) as FlowNode[]);
  if (!found.found) {
    RED.notify(text('convert.nothing'), { type: 'compact' });
    return;
  }
  const form = new Form(found);
  const cancel = {
    id: 'runs-convert-cancel',
    text: RED._('common.label.cancel'),
    click: () => RED.tray.close(),
  };
  const ok = {
    id: 'runs-convert-ok',
    text: text('convert.ok'),
    class: 'primary',
    click: () => {
      RED.tray.close();
      convert(found, form.targets);
    },
  };
  RED.tray.show({
    title: text('convert.title'),
    width: WIDTH,
    buttons: found.hosts.length > 0 || convertible(found).length > 0 ? [cancel, ok] : [cancel],
    open: (tray) => tray.find('.red-ui-tray-body').append(form.element),
  });
}

function convert(found: Survey, targets: ReadonlyMap<string, Target>): void {
  const defaults = Object.entries(RED.nodes.getType(SERVICE).defaults);
  const change = planConversion(found, {
    targets,
    serviceDefaults: Object.fromEntries(defaults.map(([name, { value }]) => [name, value])),
    newId: () => RED.nodes.id(),
    assistantName: (number) => text('convert.assistant', { number }),
  });
  replaceNodes(change);
  const done = [text('convert.done', { count: convertible(found).length })];
  const keyless = found.hosts.filter((host) => targets.get(host.id) === 'server' && needsKey(host));
  if (keyless.length > 0) done.push(text('convert.doneKeys', { names: keyless.map(hostName).join(', ') }));
  RED.notify(done.join('<br>'), {
    type: keyless.length > 0 ? 'warning' : 'success',
    timeout: SHOWN,
  });
}

const needsKey = ({ server }: OldHost) => server?.note !== undefined;

/** What a person calls a host. */
function hostName({ id, name, address, addressFrom }: OldHost): string {
  if (id === '') return text('convert.noHost');
  return harmless(name || address || addressFrom || id);
}

/** All that stands in the dialog. */
class Form {
  readonly element = $('<div>', { class: 'runs-dialog runs-convert' });
  /** What is chosen, by the host's id. */
  readonly targets = new Map<string, Target>();
  private readonly found: Survey;

  constructor(found: Survey) {
    this.found = found;
    this.element.append($('<p>').text(text('convert.intro')));
    if (found.hosts.length > 0)
      this.section(
        text('convert.services'),
        found.hosts.map((host) => this.host(host)),
      );
    this.nodes(text('convert.converted', { count: convertible(found).length }), convertible(found), becomes);
    this.nodes(text('convert.left', { count: left(found).length }), left(found), whyLeft);
    if (left(found).some(({ id }) => RED.nodes.node(id)?.type === 'unknown')) {
      this.element.append($('<p>', { class: 'runs-bad' }).text(text('convert.missing')));
    }
  }

  private section(title: string, parts: JQuery[]): void {
    this.element.append($('<h4>').text(title), ...parts);
  }

  /** One host: its name and address, what becomes of it, and what is to know about that. */
  private host(host: OldHost): JQuery {
    const hints = $('<div>', { class: 'runs-hint' });
    const id = `runs-convert-host-${this.targets.size}`;
    const select = $('<select>', { id });
    for (const target of [...targetsOf(host), ...this.found.services]) {
      $('<option>', { value: target }).text(targetName(target)).appendTo(select);
    }
    const choose = () => {
      const target = String(select.val());
      this.targets.set(host.id, target);
      hints.empty().append(this.hints(host, target).map((hint) => $('<div>').text(hint)));
      RED.tray.resize();
    };
    select.on('change', choose);
    choose();
    const head = $('<label>', { for: id }).append(
      $('<strong>').text(hostName(host)),
      $('<span>').text(host.name ? harmless(host.address ?? host.addressFrom ?? '') : ''),
      $('<span>').text(text('convert.users', { count: host.count })),
    );
    return $('<div>', { class: 'runs-convert-host' }).append(head, select, hints);
  }

  private hints(host: OldHost, target: Target): string[] {
    const { assistants } = this.found;
    const hints: string[] = [];
    if (host.openAI) hints.push(text('convert.hint.ended'));
    if (host.addressFrom && target !== 'server')
      hints.push(text('convert.hint.noAddress', { source: host.addressFrom }));
    if (target === 'embedded') {
      hints.push(text('convert.hint.rehearsal'));
      if (assistants.length > 0) hints.push(text('convert.hint.assistants', { ids: assistants.join(', ') }));
    }
    const lacking = this.lacking(target);
    if (lacking.length > 0) hints.push(text('convert.hint.lacks', { ids: lacking.join(', ') }));
    if (target === 'server') {
      const { variable, note } = host.server ?? {};
      if (variable) hints.push(text('convert.hint.keyFound', { name: variable }));
      if (note) hints.push(text(`convert.hint.${note.key}`, { ...note }));
    }
    if (host.stays && host.id !== '') hints.push(text('convert.hint.stays'));
    return hints;
  }

  /** The flows' assistants that a service which is there does not have; what a server has is not known. */
  private lacking(target: Target): readonly string[] {
    const service = RED.nodes.node(target);
    if (!service || service.backend === 'server') return [];
    const declared: { id: string }[] = service.assistants ?? [];
    return this.found.assistants.filter((id) => !declared.some((assistant) => assistant.id === id));
  }

  /** A table of nodes, if there are any. */
  private nodes(title: string, nodes: readonly OldNode[], outcome: (node: OldNode) => string): void {
    if (nodes.length === 0) return;
    const rows = nodes.map((node) =>
      $('<tr>').append(
        [harmless(node.place), nodeName(node), outcome(node)].map((cell) => $('<td>').text(cell)),
      ),
    );
    this.section(title, [$('<table>').append($('<tbody>').append(rows))]);
  }
}

function targetName(target: Target): string {
  if (target === 'embedded') return text('convert.target.embedded');
  if (target === 'server') return text('convert.target.server');
  return text('convert.target.existing', { name: RED.utils.getNodeLabel(RED.nodes.node(target), target) });
}

function methodName(method: string): string {
  return findMethod(method) ? text(`method.${method as MethodId}.name`) : harmless(method);
}

const nodeName = ({ name, method, id }: OldNode) => harmless(name) || methodName(method) || id;

function becomes({ method, streams, saved }: OldNode): string {
  const known = findMethod(method);
  const parts = [methodName(method)];
  if (known?.delivers) parts.push(text(streams ? 'convert.streams' : 'delivery.start'));
  if (known?.answers === 'list' && saved.type !== 'openai-api') parts.push(text('convert.items'));
  return parts.join(' · ');
}

function whyLeft({ reason = 'method', method }: OldNode): string {
  return text(`convert.reason.${reason}`, { method });
}
