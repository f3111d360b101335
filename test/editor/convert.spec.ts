/** Old flows in the editor, their types unknown to it: converted, taken back, converted again, and run. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { closeConverter, enterKey, importFlow, openConverter } from '../support/converter.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, RELEASES, type Release, startNodeRed } from '../support/node-red.ts';
import { until } from '../support/until.ts';
import { installOldTypes } from './fixtures/old-types.ts';

type Saved = Record<string, unknown> & { id: string; type: string };

const fixture = (name: string) =>
  readFileSync(path.join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8');
const OLD = JSON.parse(fixture('old-flow')) as Saved[];
const HOST = 'a000000000000004';
const STREAMS = 'a000000000000032';
const IN_GROUP = 'a000000000000012';
/** A variable of the environment, as a service names it. */
const KEY = 'LOCAL_KEY';
const ofOld = ({ type }: Saved) => type === 'OpenAI API';
const byId = (one: Saved, other: Saved) => one.id.localeCompare(other.id);

for (const release of Object.keys(RELEASES) as Release[]) {
  describe(`converting old flows on Node-RED ${release}`, function () {
    this.timeout(90_000);
    let nodeRed: NodeRed;
    let browser: Browser;
    let editor: Editor;
    /** The old flow, before anything was converted. */
    let old: Saved[];

    before(async () => {
      [nodeRed, browser] = await Promise.all([startNodeRed({ release }), openBrowser()]);
      editor = await Editor.open(browser, nodeRed.address);
      // What the editor tells of unknown types lies over the dialog's buttons for seconds.
      await editor.page.addStyleTag({ content: '#red-ui-notifications { pointer-events: none }' });
    });
    after(async () => {
      await editor?.close();
      await browser?.close();
      await nodeRed?.stop();
    });

    /** Everything in the workspace, as it would be deployed. */
    const workspace = () =>
      editor.page.evaluate(
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        () => (window as any).RED.nodes.createCompleteNodeSet({ credentials: true }) as Saved[],
      );

    /** What of the workspace is not the tab that was there from the start. */
    const flow = async () => {
      const [_first, ...rest] = await workspace();
      return rest;
    };

    const isChanged = () =>
      // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
      editor.page.evaluate(() => (window as any).RED.nodes.dirty() as boolean);

    const undo = () => editor.page.keyboard.press('ControlOrMeta+z');
    const redo = () => editor.page.keyboard.press('ControlOrMeta+y');

    it('says that there is nothing, where there is nothing', async () => {
      await editor.page.evaluate(() =>
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        (window as any).RED.actions.invoke('openai-runs:convert-openai-api-nodes'),
      );
      await editor.page.locator('.red-ui-notification', { hasText: 'no nodes of @inductiv' }).waitFor();
      assert.equal(await editor.page.locator('.runs-convert').count(), 0);
      await editor.quiet();
    });

    it('is in the list of commands', async () => {
      const label = await editor.page.evaluate(() => {
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        const all = (window as any).RED.actions.list() as { id: string; label: string }[];
        return all.find(({ id }) => id === 'openai-runs:convert-openai-api-nodes')?.label;
      });
      assert.equal(label, 'Convert OpenAI API nodes…');
    });

    it('shows what it found and what becomes of it; cancelled, it changes nothing', async () => {
      await importFlow(editor, fixture('old-flow'));
      old = await flow();
      const dialog = await openConverter(editor);
      const shown = (await dialog.innerText()).replace(/\s+/g, ' ');
      for (const text of [
        'OpenAI https://api.openai.com/v1 Nodes: 5',
        'switched its own service at this address off on 2026-08-26',
        'asst_Kq3vTzL8mNpR5sXwYb2CdF7h, asst_abc123',
        'To be converted: 5',
        'Old assistant start Create thread and run · Start only',
        'Old assistant Create thread and run Create thread and run · events by output 2',
        "Runs of a thread List runs List runs · one page's items as an array",
      ]) {
        assert.ok(shown.includes(text), `${text} is not in: ${shown}`);
      }
      assert.doesNotMatch(shown, /Not converted|not installed/);
      assert.equal(await dialog.locator('select').inputValue(), 'embedded');
      await editor.picture(`${release}-convert`);
      await closeConverter(editor, 'cancel');
      assert.deepEqual(await flow(), old);
    });

    it('puts each node in its place: ids, wires, groups, links, order', async () => {
      await openConverter(editor);
      await closeConverter(editor, 'ok');
      const after = await flow();
      assert.equal(await isChanged(), true);
      assert.deepEqual(
        after.map(({ id }) => id),
        old.map(({ id }) => id),
      );
      for (const [index, was] of old.entries()) {
        const now = after[index] as Saved;
        if (ofOld(was)) {
          assert.equal(now.type, 'openai-runs');
          for (const kept of [
            'z',
            'g',
            'd',
            'x',
            'y',
            'name',
            'info',
            'method',
            'property',
            'propertyType',
          ]) {
            assert.deepEqual(now[kept], was[kept], `${kept} of ${was.id}`);
          }
          const wires = was.id === STREAMS ? [[], ...(was.wires as unknown[])] : was.wires;
          assert.deepEqual([now.service, now.wires], [HOST, wires]);
        } else if (was.id === HOST) {
          assert.deepEqual([now.type, now.backend, now.name], ['openai-runs-service', 'embedded', 'OpenAI']);
        } else if (was.id !== 'a000000000000002') {
          assert.deepEqual(now, was);
        }
      }
      const users = await editor.page.evaluate(
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        (host) => (window as any).RED.nodes.node(host).users.length as number,
        HOST,
      );
      assert.equal(users, old.filter(ofOld).length);
      for (const { id } of old.filter(ofOld)) assert.equal(await editor.faults(id), '', id);
    });

    it('gives everything back with one undo, looks included, as often as wanted', async () => {
      const converted = await flow();
      await editor.quiet();
      const unknown = editor.page.locator('.red-ui-flow-node-unknown');
      await editor.page.locator('#red-ui-workspace-tabs .red-ui-tab', { hasText: 'Old assistant' }).click();
      for (let times = 0; times < 2; times++) {
        await undo();
        assert.deepEqual(await flow(), old);
        await until(async () => (await unknown.count()) === 3);
        await redo();
        assert.deepEqual(await flow(), converted);
        await until(async () => (await unknown.count()) === 0);
        const ports = editor.node(STREAMS).locator('.red-ui-flow-port-output');
        await until(async () => (await ports.count()) === 2);
        assert.equal(await isChanged(), true);
      }
      await undo();
      assert.deepEqual(await flow(), old);
      // What is undone is as deployable as it was: the types under their own names.
      assert.deepEqual(
        (await flow())
          .filter(ofOld)
          .map(({ id }) => id)
          .sort(),
        OLD.filter(ofOld)
          .map(({ id }) => id)
          .sort(),
      );
      await openConverter(editor);
      await closeConverter(editor, 'ok');
      assert.deepEqual((await flow()).sort(byId), converted.sort(byId));
    });

    it('moves a group with the nodes that are in it now', async () => {
      const members = await editor.page.evaluate((id) => {
        // biome-ignore lint/suspicious/noExplicitAny: the editor's own global in the page
        const { RED } = window as any;
        const node = RED.nodes.node(id);
        return RED.nodes.group(node.g).nodes.includes(node) as boolean;
      }, IN_GROUP);
      assert.equal(members, true);
    });

    it('runs at once: the loop of before, and the events by their wire', async () => {
      await editor.showDebug();
      await editor.deploy();
      await editor.press('a000000000000011');
      assert.equal(await editor.debugMessage('begun'), '"queued"');
      assert.equal(await editor.debugMessage('ended'), '"completed"');
      await editor.press('a000000000000031');
      const events = editor.page.locator('.red-ui-debug-msg', { hasText: 'node: events' });
      await events.filter({ hasText: '"thread.run.completed"' }).waitFor();
      assert.match((await events.first().textContent()) ?? '', /"thread\.created"/);
      assert.deepEqual(editor.errors, []);
    });

    it('can be taken back after it was deployed, and done again', async () => {
      const converted = await flow();
      assert.equal(await isChanged(), false);
      await undo();
      assert.deepEqual(await flow(), old);
      assert.equal(await isChanged(), true);
      await redo();
      assert.deepEqual(await flow(), converted);
    });

    it('leaves what it can not convert, says why, and shows hostile names as text', async () => {
      await importFlow(editor, fixture('old-mixed'));
      const all = await flow();
      const dialog = await openConverter(editor);
      const shown = (await dialog.innerText()).replace(/\s+/g, ' ');
      for (const text of [
        'Not converted: 2',
        'there is no method createChatCompletion here',
        'there is no method ‹img src=x',
        'Delete those that stay',
        `The key is taken from ${KEY}.`,
        "The key can't be read from here",
        'new service: the same server',
        'existing service: OpenAI',
      ]) {
        assert.ok(shown.includes(text), `${text} is not in: ${shown}`);
      }
      await editor.picture(`${release}-convert-mixed`);
      await closeConverter(editor, 'ok');
      const found = await editor.page.evaluate(() => ({
        // biome-ignore lint/suspicious/noExplicitAny: set by what must not run
        hits: (window as any).hits ?? [],
        made: document.querySelectorAll('img[src="x"]').length,
      }));
      assert.deepEqual(found, { hits: [], made: 0 });
      const now = new Map((await flow()).map((node) => [node.id, node]));
      for (const id of ['b000000000000011', 'b000000000000013', 'b000000000000002', 'b000000000000003']) {
        assert.deepEqual(
          now.get(id),
          all.find((node) => node.id === id),
        );
      }
      const local = now.get(String(now.get('b000000000000014')?.service));
      assert.deepEqual(
        [local?.backend, local?.url, local?.auth, local?.authName, local?.apiKeyEnv, local?.credentials],
        ['server', 'http://127.0.0.1:9/v1', 'header', 'api-key', KEY, undefined],
      );
      const veryOld = now.get('b000000000000015');
      assert.deepEqual(
        [veryOld?.type, veryOld?.method, veryOld?.service],
        ['openai-runs', 'submitToolOutputsToRun', 'b000000000000004'],
      );
      // Whose key is in the environment is ready; who still needs one is not, nor is what uses it.
      assert.equal(await editor.faults(String(local?.id)), '');
      assert.match(await editor.faults('b000000000000004'), /the key has not been entered yet/);
      assert.match(await editor.faults('b000000000000015'), /service/i);
      await enterKey(editor, 'b000000000000004');
      for (const id of ['b000000000000004', 'b000000000000015']) assert.equal(await editor.faults(id), '');
      await undo();
      await undo();
      assert.deepEqual((await flow()).sort(byId), all.sort(byId));
    });

    it('does the same where the old types are installed', async () => {
      await editor.page.evaluate(installOldTypes);
      const all = await flow();
      const isOld = ({ type }: Saved) => ['OpenAI API', 'Service Host'].includes(type);
      assert.equal(await editor.idOf('OpenAI API'), 'b000000000000011');
      const dialog = await openConverter(editor);
      const host = dialog.locator('.runs-convert-host', { hasText: '‹b›host‹/b›' });
      await host.locator('select').selectOption({ label: 'existing service: OpenAI' });
      assert.doesNotMatch(await host.innerText(), /rehearsal/);
      await closeConverter(editor, 'ok');
      const now = new Map((await flow()).map((node) => [node.id, node]));
      assert.equal(now.get('b000000000000012')?.service, HOST);
      assert.deepEqual(
        [...now.values()].filter(isOld).map(({ id }) => id),
        ['b000000000000002', 'b000000000000003', 'b000000000000011', 'b000000000000013'],
      );
      await undo();
      assert.deepEqual((await flow()).sort(byId), all.sort(byId));
      assert.deepEqual(editor.errors, []);
    });
  });
}
