/** Reading: services, the list of runs with its sums, what is new. */
import type { RowFilter, RunRow } from '../../../engine/index.ts';
import type { ServiceNode } from '../../openai-runs-service/connection.ts';
import { catchUp } from './catch-up.ts';
import { withoutWords } from './contents.ts';
import type { Panel, Request } from './panel.ts';

/** Rows of a page at most, and runs that are shown as going on. */
const PAGE = 60;
const MOST_ACTIVE = 100;

type Row = RunRow & { service: string };

export function addLists(panel: Panel): void {
  panel.get('/services', 'read', (_request, response) => {
    response.json({
      services: panel.services().map(({ id, name, deployed }) => ({
        id,
        name: name ?? '',
        backend: deployed.backend,
        provider: deployed.provider,
        contents: deployed.showContents,
      })),
      nodes: panel.saved('openai-runs').map(({ id, name, z, service, method }) => ({
        id,
        name: name ?? '',
        flow: z,
        service,
        method,
      })),
    });
  });

  panel.get('/runs', 'read', async (request, response) => {
    const filter = filterOf(request);
    const before = JSON.parse(String(request.query.before ?? '{}')) as Record<string, number | null>;
    const pages = await Promise.all(
      chosen(panel, request)
        .filter(({ id }) => before[id] !== null)
        .map((service) => pageOf(service, filter, before[service.id] ?? undefined)),
    );
    response.json(merged(pages, before));
  });

  panel.get('/sums', 'read', async (request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const all = await Promise.all(
      chosen(panel, request).map(async (service) =>
        (await overviewOf(service))?.sums(filterOf(request), gone.signal),
      ),
    );
    if (!gone.signal.aborted) response.json(all.filter(Boolean));
  });

  panel.get('/live', 'read', async (request, response) => {
    const since = JSON.parse(String(request.query.since ?? '{}')) as Record<string, number>;
    const parts = await Promise.all(
      chosen(panel, request).map((service) => liveOf(service, since[service.id])),
    );
    response.json(parts);
  });
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function filterOf({ query }: Request): RowFilter {
  const number = (value: unknown) => (text(value) === undefined ? undefined : Number(value));
  return {
    statuses: text(query.status)?.split(',') as RowFilter['statuses'],
    assistant: text(query.assistant),
    node: text(query.node),
    text: text(query.text),
    from: number(query.from),
    to: number(query.to),
  };
}

/** The services that a request is about: the one it names, or all. */
function chosen(panel: Panel, { query }: Request): ServiceNode[] {
  const one = text(query.service);
  return one ? [panel.service(one)] : panel.services();
}

/** A service that can't be opened has no runs to show. */
const overviewOf = (service: ServiceNode) =>
  service.connect().then(
    ({ overview }) => overview,
    () => undefined,
  );

const shown = (service: ServiceNode, rows: RunRow[]): Row[] =>
  rows.map((row) => ({
    ...(service.deployed.showContents ? row : withoutWords(row)),
    service: service.id,
  }));

async function pageOf(service: ServiceNode, filter: RowFilter, before: number | undefined) {
  let fault: string | undefined;
  const overview = await service.connect().then(
    (connection) => connection.overview,
    (error: Error) => {
      fault = error.message;
    },
  );
  // Who may not see texts may not find them out by searching, either.
  const hidden = filter.text !== undefined && !service.deployed.showContents;
  if (!overview || hidden) return { service: service.id, rows: [], next: undefined, before, fault };
  const { rows, next } = await overview.list(filter, PAGE, before);
  return { service: service.id, rows: shown(service, rows), next, before, fault };
}

/** The newest rows of several services, and where each goes on; null where one has no more. */
function merged(pages: Awaited<ReturnType<typeof pageOf>>[], before: Record<string, number | null>) {
  const rows = pages
    .flatMap((page) => page.rows)
    .sort((a, b) => b.createdAt - a.createdAt)
    .slice(0, PAGE);
  const next = { ...before };
  for (const page of pages) {
    const used = rows.filter(({ service }) => service === page.service);
    const left = used.length < page.rows.length;
    next[page.service] = left ? (used.at(-1)?.place ?? page.before ?? null) : (page.next ?? null);
    // None of its rows was young enough: it begins where it began.
    if (left && used.length === 0 && page.before === undefined) delete next[page.service];
  }
  const faults = pages.flatMap(({ service, fault }) => (fault ? [{ service, reason: fault }] : []));
  return { rows, next, faults, more: pages.some(({ service }) => next[service] !== null) };
}

/** What flies, what can still change, and what has changed since a version that the editor knows. */
async function liveOf(service: ServiceNode, since: number | undefined) {
  const { activity } = service;
  const { version } = activity;
  const connection = await service.connect().catch(() => undefined);
  const overview = connection?.overview;
  if (connection) catchUp(service, connection).catch(() => {});
  const changed = since === undefined ? [] : activity.changedSince(since);
  return {
    service: service.id,
    version,
    reload: changed === undefined,
    flights: [...activity.flights].slice(-MOST_ACTIVE).map(({ origin, since, state, ahead, retry, ids }) => ({
      origin: { ...origin, marks: undefined },
      since,
      state,
      ahead,
      retry,
      runId: ids.run_id,
    })),
    active: shown(service, (await overview?.active(MOST_ACTIVE)) ?? []),
    changed: shown(service, (await overview?.rows(changed ?? [])) ?? []),
    now: Date.now(),
  };
}
