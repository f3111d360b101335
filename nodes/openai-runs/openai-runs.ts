/** Registers the node type and joins its parts. Nothing heavy is loaded here. */

import type { Node, NodeAPI } from 'node-red';
import type { ServiceNode } from '../openai-runs-service/connection.ts';
import { inWords, RunsError } from '../shared/errors.ts';
import type { RunsTranslate } from '../shared/texts.ts';
import { findMethod, serves } from './methods/index.ts';
import { RunsNode } from './node.ts';
import { type RunsNodeDef, readSettings } from './settings.ts';

export default function register(RED: NodeAPI): void {
  const t: RunsTranslate = (key, values) => RED._(`openai-runs.${key}`, values as never);

  function OpenAIRuns(this: Node, def: RunsNodeDef) {
    RED.nodes.createNode(this, def);
    const settings = readSettings(def);
    // Runs of other programs are followed for their calls; how they end is the other program's to judge.
    if (serves(settings.method))
      Object.assign(settings, { delivery: 'wait', tools: true, failures: 'output' });
    const service = RED.nodes.getNode(settings.service) as ServiceNode | null;
    const method = findMethod(settings.method);

    const unusable = !service?.connect
      ? new RunsError(t('error.noService'), { code: 'no_service' })
      : !method
        ? new RunsError(t('error.noMethod', { method: settings.method }), { code: 'no_method' })
        : undefined;
    if (unusable || !service || !method) {
      this.status({
        fill: 'red',
        shape: 'ring',
        text: t(service?.connect ? 'status.noMethod' : 'status.noService'),
      });
      this.on('input', (_msg, _send, done) => inWords(done)(unusable));
      return;
    }

    const runs = new RunsNode({ RED, node: this, settings, method, service, t });
    const leave = serves(settings.method) ? service.serveTools((calls) => runs.serve(calls)) : () => {};
    this.on('input', (msg, send, done) => runs.onInput(msg, send as never, done));
    this.on('close', (_removed: boolean, done: () => void) => {
      leave();
      runs.onClose().then(done, done);
    });
  }

  RED.nodes.registerType('openai-runs', OpenAIRuns as never);
}
