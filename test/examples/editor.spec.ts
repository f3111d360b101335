/** The examples in the editor: nothing marked as wrong, nothing over something else. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { Editor } from '../support/editor.ts';
import { type NodeRed, startNodeRed } from '../support/node-red.ts';
import { isRunnable, readExamples } from './files.ts';

/** What the page tells of one flow. */
interface Drawn {
  /** Nodes marked with a red triangle, and why. */
  invalid: string[];
  boxes: Box[];
  wires: Wire[];
}

interface Box {
  id: string;
  label: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Wire {
  source: string;
  target: string;
  points: Point[];
}

interface Point {
  x: number;
  y: number;
}

/** In the page: shows a flow, and reads off what is drawn. */
function draw(tab: string): Drawn {
  // biome-ignore lint/suspicious/noExplicitAny: the editor's own global
  const { RED } = window as any;
  RED.workspaces.show(tab);
  RED.view.redraw(true, true);
  // biome-ignore lint/suspicious/noExplicitAny: the editor's own nodes and wires
  type Any = any;
  const nodes: Any[] = RED.nodes.filterNodes({ z: tab });
  const label = ({ name, type }: Any) => name || type;
  return {
    invalid: nodes
      .filter(({ valid }) => !valid)
      .map((node) => `${label(node)}: ${(node.validationErrors ?? []).join(', ')}`),
    boxes: nodes.map((node) => ({
      id: node.id,
      label: label(node),
      left: node.x - node.w / 2,
      right: node.x + node.w / 2,
      top: node.y - node.h / 2,
      bottom: node.y + node.h / 2,
    })),
    wires: [...document.querySelectorAll<SVGPathElement>('.red-ui-flow-link-line')].map((path) => {
      const { source, target } = (path as Any).__data__;
      const length = path.getTotalLength();
      const points = Array.from({ length: 41 }, (_, index) => {
        const { x, y } = path.getPointAtLength((length * index) / 40);
        return { x, y };
      });
      return { source: source.id, target: target.id, points };
    }),
  };
}

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const within = ({ x, y }: Point, box: Box) => x > box.left && x < box.right && y > box.top && y < box.bottom;

/** Whether two lines meet, each a row of short straight pieces. */
function cross(a: Point[], b: Point[]): boolean {
  const side = (p: Point, q: Point, r: Point) =>
    Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
  const pieces = (points: Point[]) =>
    points.slice(1).map((point, index) => [points[index] as Point, point] as const);
  return pieces(a).some(([p, q]) =>
    pieces(b).some(([r, s]) => side(p, q, r) * side(p, q, s) < 0 && side(r, s, p) * side(r, s, q) < 0),
  );
}

describe('the examples in the editor', function () {
  this.timeout(60_000);
  const examples = readExamples().filter(isRunnable);
  let nodeRed: NodeRed;
  let browser: Browser;
  let editor: Editor;

  before(async () => {
    const flows = examples.flatMap(({ nodes }) => nodes);
    [nodeRed, browser] = await Promise.all([startNodeRed({ flows }), openBrowser()]);
    editor = await Editor.open(browser, nodeRed.address);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  for (const { name, nodes } of examples) {
    it(`${name} is drawn tidily and without a fault`, async () => {
      const tab = nodes.find(({ type }) => type === 'tab')?.id ?? '';
      const { invalid, boxes, wires } = await editor.page.evaluate(draw, tab);
      assert.deepEqual(invalid, []);
      assert.equal(boxes.length, nodes.filter(({ z }) => z === tab).length);
      assert.equal(wires.length, nodes.flatMap(({ wires: all = [] }) => all.flat()).length);
      const labels = new Map(boxes.map(({ id, label }) => [id, label]));
      const word = ({ source, target }: Wire) => `${labels.get(source)} → ${labels.get(target)}`;
      boxes.forEach((a, index) => {
        assert.equal(((a.top + a.bottom) / 2) % 20, 0, `${a.label} is off the grid`);
        for (const b of boxes.slice(index + 1)) assert(!overlap(a, b), `${a.label} over ${b.label}`);
        for (const wire of wires) {
          if (wire.source === a.id || wire.target === a.id) continue;
          assert(!wire.points.some((point) => within(point, a)), `${word(wire)} runs under ${a.label}`);
        }
      });
      wires.forEach((a, index) => {
        for (const b of wires.slice(index + 1)) {
          if (a.source === b.source || a.target === b.target) continue;
          assert(!cross(a.points, b.points), `${word(a)} crosses ${word(b)}`);
        }
      });
    });
  }

  it('has nothing to complain about in the console', () => {
    assert.deepEqual(editor.errors, []);
  });
});
