/** A run as bars over time. */
import type { ToolCall } from '../../shared/waiting-calls.ts';
import { h, s } from './dom.ts';
import { duration, wholeSeconds } from './format.ts';
import { text } from './i18n.ts';
import type { RunDetail, Step } from './types.ts';

interface Bar {
  kind: 'queued' | 'first' | 'text' | 'model' | 'tool' | 'tools';
  name: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
  /** Shown when pointed at, beside the times. */
  note?: string | undefined;
}

/** Pixels of a bar with its words. */
const HEIGHT = 34;
const WIDTH = 260;

/** The bars, their words, and what is told of each when it is pointed at. */
export function timeline(detail: RunDetail): HTMLElement {
  const { row } = detail;
  const marks = row?.origin?.marks ?? [];
  const isExact = marks.length > 2;
  const bars = isExact ? barsOfMarks(marks, detail) : barsOfSteps(detail);
  const tookOf = ({ from, to }: Bar) => (isExact ? duration : wholeSeconds)(to - from);
  const start = Math.min(...bars.map(({ from }) => from));
  const length = Math.max(1, ...bars.map(({ to }) => to - start));
  const scale = (at: number) => ((at - start) / length) * WIDTH;
  const picture = s(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${bars.length * HEIGHT + 4}`,
      class: 'runs-timeline',
      role: 'img',
      'aria-label': bars.map((bar) => `${bar.name}: ${tookOf(bar)}`).join('; '),
    },
    ...bars.map((bar, index) => {
      const took = tookOf(bar);
      const y = index * HEIGHT;
      return s(
        'g',
        {},
        s(
          'title',
          {},
          [`${bar.name}: ${took}`, `+${duration(bar.from - start)}`, bar.note].filter(Boolean).join('\n'),
        ),
        s('rect', { x: 0, y, width: WIDTH, height: HEIGHT, class: 'runs-track' }),
        s('text', { x: 0, y: y + 13 }, short(bar.name)),
        s('text', { x: WIDTH, y: y + 13, 'text-anchor': 'end' }, took),
        s('rect', {
          x: scale(bar.from),
          y: y + 19,
          width: Math.max(2, scale(bar.to) - scale(bar.from)),
          height: 9,
          rx: 2,
          class: `runs-bar-${bar.kind}`,
        }),
      );
    }),
  );
  const { usage } = detail.run;
  return h(
    'div',
    { class: 'runs-body' },
    picture,
    !isExact && h('p', { class: 'runs-dim' }, text('detail.bySeconds')),
    usage != null &&
      usage.total_tokens > 0 &&
      h(
        'p',
        { class: 'runs-dim' },
        `${text('tokens', { count: usage.total_tokens })} (${usage.prompt_tokens} + ${usage.completion_tokens})`,
      ),
  );
}

const short = (name: string) => (name.length > 34 ? `${name.slice(0, 33)}…` : name);

/** Calls of functions and of a server's own tools, in the order they were made. */
export function callsOf(steps: Step[]) {
  return steps.flatMap(({ step_details: details, ...step }) =>
    details.type === 'tool_calls'
      ? details.tool_calls.map((call) => ({
          call: named(call as Call & Call['function']),
          step: step as Omit<Step, 'step_details'>,
        }))
      : [],
  );
}

export interface Call {
  id: string;
  type: string;
  function?: { name: string; arguments?: string; output?: string | null };
  /** Whose tool it is, where a server calls its own. */
  server_label?: string;
}

/** Azure's calls of tools on other servers have a function's fields in themselves. */
function named(call: Call & Call['function']): Call {
  const { id, type, server_label, name, arguments: given, output } = call ?? {};
  if (type !== 'mcp' || typeof name !== 'string') return call;
  return { id, type, server_label, function: { name, arguments: given, output } };
}

/** A call that waits, as one of a step. */
export function cardOf({ id, type, name, arguments: given, server }: ToolCall, output?: string | null): Call {
  const label = server === undefined ? {} : { server_label: server };
  return { id, type, ...label, function: { name, arguments: given, output: output ?? null } };
}

/** How the names of marks read, where one thing is followed by another. */
function barsOfMarks(marks: [number, string][], { steps, run }: RunDetail): Bar[] {
  const bars: Bar[] = [];
  const calls = callsOf(steps);
  const usage = steps.map((step) => step.usage).filter(Boolean);
  const isOpen = !['completed', 'failed', 'cancelled', 'expired', 'incomplete'].includes(run.status);
  const last = marks.at(-1)![0];
  // A run that went on where nobody followed it has marks up to there, and the rest in whole seconds.
  const ended = 1000 * (run.completed_at ?? run.failed_at ?? run.cancelled_at ?? 0);
  const end = isOpen ? Date.now() : Math.max(last, ended);
  let nextCall = 0;
  let turn = 0;
  marks.forEach(([from, what], index) => {
    const followers = marks.slice(index + 1).filter(([, name]) => !name.startsWith('answer:'));
    const [to, next] = followers[0] ?? [end, ''];
    if (what === 'asked')
      bars.push({
        kind: 'queued',
        name: text('bar.queued'),
        from,
        to: followers.find(([, name]) => name === 'in_progress')?.[0] ?? to,
      });
    else if (what === 'in_progress') {
      const kind = next === 'text' ? 'first' : 'model';
      bars.push({ kind, name: text(`bar.${kind}`), from, to });
    } else if (what === 'text') {
      const tokens = usage[turn]?.completion_tokens;
      bars.push({
        kind: 'text',
        name: text('bar.text'),
        from,
        to,
        note: tokens ? text('tokens', { count: tokens }) : undefined,
      });
    } else if (what === 'requires_action') {
      turn += 1;
      // The calls of this round: those of one step.
      const round = calls.slice(nextCall).filter(({ step }, _, all) => step.id === all[0]?.step.id);
      nextCall += round.length;
      for (const { call, step } of round) {
        const answered = marks.find(([, name]) => name === `answer:${call.id}`)?.[0];
        const unseen = next === '' && step.completed_at ? Math.max(from, 1000 * step.completed_at) : to;
        bars.push({ kind: 'tool', name: call.function?.name ?? call.type, from, to: answered ?? unseen });
      }
      if (round.length === 0) bars.push({ kind: 'tools', name: text('bar.tools'), from, to });
    }
  });
  return bars;
}

/** In whole seconds, for a run that nobody here has followed. */
function barsOfSteps({ run, steps }: RunDetail): Bar[] {
  const ms = (seconds: number | null | undefined, otherwise: number) =>
    seconds ? seconds * 1000 : otherwise;
  const created = run.created_at * 1000;
  const started = ms(run.started_at, created);
  const bars: Bar[] = [{ kind: 'queued', name: text('bar.queued'), from: created, to: started }];
  for (const step of steps) {
    const from = step.created_at * 1000;
    const to = ms(step.completed_at ?? step.failed_at ?? step.cancelled_at, from);
    const { step_details: details } = step;
    if (details.type !== 'tool_calls') bars.push({ kind: 'text', name: text('bar.text'), from, to });
    else
      for (const call of details.tool_calls as Call[])
        bars.push({ kind: 'tool', name: call.function?.name ?? call.type, from, to });
  }
  return bars;
}
