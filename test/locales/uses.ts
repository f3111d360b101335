/** Finds in a node's sources which texts they ask for. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { methods } from '../../nodes/openai-runs/methods/index.ts';
import { presets } from '../../nodes/openai-runs-service/editor/presets.ts';
import { ROOT } from '../support/user-directory.ts';
import type { NodeName } from './catalogue.ts';

const read = (node: NodeName, file: string) => readFileSync(path.join(ROOT, 'nodes', node, file), 'utf8');
const files = (node: NodeName, kind: string) =>
  globSync(`**/*.${kind}`, { cwd: path.join(ROOT, 'nodes', node) });

/** Every word in single quotes that could be part of a key. */
const quoted = (text: string) => Array.from(text.matchAll(/'([A-Za-z_]+)'/g), ([, word]) => word ?? '');

/** The words in quotes within a part of a file; fails when the part is no longer there. */
function wordsIn(node: NodeName, file: string, part: RegExp): string[] {
  const [found] = part.exec(read(node, file)) ?? [];
  assert(found, `nodes/${node}/${file} has nothing like ${part}; mend TEMPLATES in test/locales/uses.ts`);
  return quoted(found);
}

/** The words of a closed union of the engine's. */
function faultsOf(file: string, part: RegExp): string[] {
  const [found = ''] = part.exec(readFileSync(path.join(ROOT, file), 'utf8')) ?? [];
  return quoted(found);
}

const methodIds = () => methods.map(({ id }) => id);
const runs = (file: string, part: RegExp) => wordsIn('openai-runs', file, part);
const service = (file: string, part: RegExp) => wordsIn('openai-runs-service', file, part);

/**
 * What can stand for `*` in the keys that code puts together, one entry for each form of key. Taken from the
 * declarations that the code itself goes by, wherever there is one.
 */
const TEMPLATES: Record<NodeName, Record<string, () => string[]>> = {
  'openai-runs': {
    'group.*': () => methods.map(({ group }) => group),
    'method.*.name': methodIds,
    'method.*.hint': methodIds,
    'hint.delivery.*': () => ['start', 'wait', 'stream', 'getRun.start', 'getRun.wait'],
    'field.*': () => methods.flatMap(({ parameters }) => Object.keys(parameters)),
    'output.*': () => runs('editor/outputs.ts', /type OutputKind =[^;]+;/),
    'status.*': () => [
      ...runs('job.ts', /type JobState =[^;]+;/),
      'waitingAhead',
      'rateLimited',
      'askedAgain',
    ],
    'error.*': () => [
      ...runs('check.ts', /^ {2}key: '[^;]+;/m),
      ...runs('result.ts', /string>> = \{[^}]+\}/),
      ...runs('runs-node.ts', /why: '[^,)]+/),
    ],
  },
  'openai-runs-service': {
    'preset.*': () => presets.map(({ id }) => id),
    'label.*': () => ['headers', 'query', 'rehearsal', 'embedded'],
    'engine.*': () => {
      const errors = readFileSync(path.join(ROOT, 'engine/errors.ts'), 'utf8');
      const [table = ''] = /START_FAULTS = \{[\s\S]+?\n\};/.exec(errors) ?? [];
      return Array.from(table.matchAll(/^ {2}(\w+): \(/gm), ([, fault]) => fault ?? '');
    },
    'pair.*': () => service('editor/pairs.ts', /part: '[^)]+\)/),
    'assistant.*': () => ['name', 'model', 'instructions', 'tools', 'format', 'temperature'],
    'hint.backend.*': () => ['embedded', 'server'],
    'hint.provider.*': () => ['rehearsal', 'chat', 'responses'],
    'placeholder.url.*': () => ['rehearsal', 'chat', 'responses'],
    'test.*': () => [
      ...Array.from(read('openai-runs-service', 'admin.ts').matchAll(/\bkey: ([^,]+),/g)).flatMap(([, key]) =>
        quoted(key ?? ''),
      ),
      ...service('editor/dialog.ts', /\?\? \{ ok: false[^}]+/),
    ],
    'error.*': () => [
      ...Array.from(
        read('openai-runs-service', 'explain.ts').matchAll(/\bt\('(\w+)'/g),
        ([, key]) => key ?? '',
      ),
      ...faultsOf('engine/domain/guarded-fetch.ts', /type FetchFaultKind =[^;]+;/),
      ...service('explain.ts', /const NETWORK[^{]+\{[^}]+\}/).filter((word) => /[a-z]/.test(word)),
      ...service('explain.ts', /const key = [^;]+;/),
      ...service('explain.ts', /const DATABASE[^{]+\{[^}]+\}/),
      ...service('explain.ts', /function sentence[\s\S]+?\n {2}\}/),
    ],
  },
};

export interface Use {
  key: string;
  where: string;
}

export interface Uses {
  /** Each key that is asked for, with the file that does. */
  keys: Use[];
  /** Forms of keys that TEMPLATES does not know (yet), with `*` for what is put in. */
  open: Use[];
  /** Words in quotes anywhere in the code: what an open form may be filled with. */
  words: Set<string>;
}

/** @param sections the names directly below the node's own in its catalogue */
export function usesOf(node: NodeName, sections: readonly string[]): Uses {
  const uses: Uses = { keys: [], open: [], words: new Set() };
  for (const file of files(node, 'html')) inHtml(node, file, uses);
  const known = new Set<string>();
  for (const file of files(node, 'ts')) {
    const text = withoutComments(read(node, file));
    for (const word of quoted(text)) uses.words.add(word);
    for (const key of literals(text, sections)) uses.keys.push({ key, where: file });
    for (const form of templates(text, sections)) {
      if (TEMPLATES[node][form]) known.add(form);
      else uses.open.push({ key: form, where: file });
    }
  }
  for (const form of known) {
    const values = new Set(TEMPLATES[node][form]?.());
    for (const value of values) uses.keys.push({ key: form.replace('*', value), where: form });
  }
  return uses;
}

/** `data-i18n="openai-runs.label.name"`, several with semicolons, an attribute's name in brackets before. */
function inHtml(node: NodeName, file: string, uses: Uses): void {
  for (const [, value] of read(node, file).matchAll(/data-i18n="([^"]*)"/g)) {
    for (const part of (value ?? '').split(';')) {
      const key = part.trim().replace(/^\[[\w-]+\]/, '');
      const own = key.startsWith(`${node}.`) ? key.slice(node.length + 1) : key;
      uses.keys.push({ key: own, where: file });
    }
  }
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

/** A call of the functions that look a text up; jQuery's `.text(…)` is none. */
const CALL = /(?<!\.|\w)(?:text|(?:\w+\.)*(?:t|translate))\(\s*/;
const called = (argument: RegExp) => new RegExp(CALL.source + argument.source, 'g');
const firsts = (text: string, pattern: RegExp) =>
  Array.from(text.matchAll(pattern), ([, first]) => first ?? '');

/** Texts in quotes: any with dots that begin with a section's name, and all that are looked up right away. */
function literals(text: string, sections: readonly string[]): string[] {
  const dotted = firsts(text, /'([\w-]+(?:\.[\w-]+)+)'/g);
  return [
    ...dotted.filter((key) => sections.includes(key.split('.')[0] ?? '')),
    ...firsts(text, called(/'([\w-]+(?:\.[\w-]+)+)'/)),
    ...firsts(text, called(/'([\w-]+)'/)).filter((key) => sections.includes(key)),
  ];
}

/** Keys that are put together, `error.${key}` as `error.*`. */
function templates(text: string, sections: readonly string[]): string[] {
  const form = /`([a-z]+(?:\.(?:\w+|\$\{[^`]*?\}))+)`/;
  const generic = (found: string) => found.replace(/\$\{[^`]*?\}(?=$|\.\w)/g, '*');
  const begun = firsts(text, new RegExp(form, 'g')).map(generic);
  return [
    ...begun.filter((found) => sections.includes(found.split('.')[0] ?? '')),
    ...firsts(text, called(form)).map(generic),
  ].filter((found) => found.includes('*'));
}
