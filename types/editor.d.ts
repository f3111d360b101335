/// <reference types="jquery" />
/** What the dialogs use of Node-RED's editor; the published types lag behind (no two-argument validate). */

/** A type offered by a typedInput: the name of a built-in one, or one of our own. */
type TypedInputType =
  | string
  | {
      value: string;
      label?: string;
      icon?: string;
      hasValue?: boolean;
      inputType?: 'text' | 'password';
      options?: { value: string; label: string }[];
      validate?: (value: string, options: object) => boolean | string;
      expand?: (this: TypedInput) => void;
      autoComplete?: (
        value: string,
        done: (found: { value: string; label: string | JQuery }[]) => void,
      ) => void;
    };

interface TypedInput {
  value(): string;
  value(value: string): void;
}

interface JQuery {
  typedInput(options: { types: TypedInputType[]; default?: string; typeField?: string | JQuery }): JQuery;
  typedInput(get: 'value' | 'type'): string;
  typedInput(set: 'value' | 'type', value: string): JQuery;
  typedInput(set: 'types', types: TypedInputType[]): JQuery;
  typedInput(check: 'validate'): boolean;
  typedInput(set: 'width', width: string): JQuery;
  editableList(options: object): JQuery;
  editableList(get: 'items'): JQuery;
  editableList(add: 'addItem', item: object): JQuery;
  editableList(set: 'height', height: number): JQuery;
}

/** A node as the editor holds it. */
interface EditorNode {
  id: string;
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the saved properties of any node
  [property: string]: any;
}

/** `validate` with two parameters may answer with the reason. */
type Validator<T> = (this: EditorNode, value: T, options: { label?: string }) => true | string;

interface EditorDefault {
  value: unknown;
  required?: boolean;
  type?: string;
  label?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each property has its own type of value
  validate?: Validator<any> | ((value: any) => boolean);
}

interface EditorDefinition {
  category: string;
  color?: string;
  icon?: string;
  inputs?: 0 | 1;
  outputs?: number;
  align?: 'left' | 'right';
  defaults: Record<string, EditorDefault>;
  credentials?: Record<string, { type: 'text' | 'password' }>;
  label?: string | ((this: EditorNode) => string);
  labelStyle?: string | ((this: EditorNode) => string);
  paletteLabel?: string | (() => string);
  outputLabels?: string[] | ((this: EditorNode, index: number) => string | undefined);
  inputLabels?: string | ((this: EditorNode, index: number) => string);
  /** Called before a node comes onto the canvas. */
  onadd?(this: EditorNode): void;
  oneditprepare?(this: EditorNode): void;
  oneditsave?(this: EditorNode): void;
  oneditcancel?(this: EditorNode): void;
  oneditresize?(this: EditorNode, size: { width: number; height: number }): void;
}

interface TextEditorOptions {
  value: string;
  title?: string;
  mode?: string;
  focus?: boolean;
  complete(value: string): void;
}

interface TrayOptions {
  title: string;
  width?: number;
  buttons: { id: string; text: string; class?: string; click(): void }[];
  open(tray: JQuery): void;
}

/** A wire. */
interface EditorLink {
  source: EditorNode;
  /** Index of the output that it leaves by. */
  sourcePort: number;
  target: EditorNode;
}

interface EditorGroup extends EditorNode {
  nodes: EditorNode[];
}

declare const RED: {
  actions: {
    /** @param options.label what the list of commands calls it */
    add(name: string, handler: () => void, options?: { label?: string }): void;
    remove(name: string): void;
  };
  menu: {
    /** @param item null for a line between items */
    addItem(menu: string, item: { id: string; label: string; onselect: string } | null): void;
  };
  /** @param message HTML */
  notify(
    message: string,
    options: {
      type?: string;
      timeout?: number;
      modal?: boolean;
      fixed?: boolean;
      buttons?: { text: string; class?: string; click(): void }[];
    },
  ): { close(): void };
  _(key: string, options?: Record<string, unknown>): string;
  nodes: {
    registerType(type: string, definition: EditorDefinition): void;
    node(id: string): EditorNode | null;
    id(): string;
    getType(type: string): EditorDefinition;
    add(node: EditorNode): EditorNode;
    remove(id: string): unknown;
    /**
     * Makes nodes of saved ones; wires between them become links.
     * @param options.reimport keeps their ids and tabs
     */
    import(
      nodes: object[],
      options?: { reimport: boolean; markChanged: boolean },
    ): { nodes: EditorNode[]; links: object[] };
    /** Everything in the workspace, as it is saved. */
    createCompleteNodeSet(options: { credentials: boolean }): EditorNode[];
    addLink(link: EditorLink): void;
    eachLink(visit: (link: EditorLink) => void): void;
    group(id: string): EditorGroup | undefined;
    /** Ids, the lowest first. @param z id of a tab or subflow */
    getNodeOrder(z: string): string[];
    setNodeOrder(z: string, order: string[]): void;
    /** Whether something is there to be deployed. */
    dirty(): boolean;
    dirty(isDirty: boolean): void;
    /** Goes on while the visitor answers true. */
    eachConfig(visit: (config: EditorNode) => boolean): void;
    /** @param port 1 for the wires that come in, 0 for those that go out */
    getNodeLinks(id: string, port: 0 | 1): unknown[];
  };
  editor: {
    editJSON(options: TextEditorOptions): void;
    editText(options: TextEditorOptions): void;
    validateNode(node: EditorNode): boolean;
    editConfig(property: string, type: string, id: string): void;
  };
  popover: {
    tooltip(target: JQuery, content: string): unknown;
    menu<Option extends { label: string }>(menu: {
      options: Option[];
      width: number;
      maxHeight: number;
      onselect(option: Option): void;
    }): { show(place: { target: JQuery }): void };
  };
  events: {
    // biome-ignore lint/suspicious/noExplicitAny: each event hands over something else
    on(event: string, listener: (subject: any) => void): void;
    emit(event: string, subject: unknown): void;
  };
  history: {
    // biome-ignore lint/suspicious/noExplicitAny: events of many kinds
    peek(): any;
    push(event: object): void;
  };
  /** What the runtime tells the editor. */
  settings: Record<string, unknown> & { get(name: string): unknown };
  group: { markDirty(group: EditorGroup): void };
  workspaces: {
    refresh(): void;
    /** Id of the tab that is shown; 0 where there is none. */
    active(): string;
    /** Whether a tab, by default the one that is shown, may not be changed. */
    isLocked(id?: string): boolean;
  };
  sidebar: {
    config: { refresh(): void };
    addTab(tab: {
      id: string;
      label: string;
      name: string;
      iconClass: string;
      content: HTMLElement;
      action: string;
      onchange(): void;
    }): void;
    show(id: string): void;
  };
  view: {
    /** @param now before anything else goes on */
    redraw(active?: boolean, now?: boolean): void;
    select(what: { nodes: EditorNode[] } | null): void;
    /** Shows a node on the canvas. */
    reveal(id: string): void;
    /** Hangs nodes at the pointer, to be put down. */
    importNodes(nodes: object[], options: object): void;
    /** Gives the canvas the keyboard. */
    focus(): void;
    selection(): { nodes?: EditorNode[] };
  };
  plugins: { registerPlugin(id: string, definition: { onadd(): void }): void };
  comms: { subscribe(topic: string, listener: (topic: string, data: unknown) => void): void };
  clipboard: {
    /** @param message shown beside the element */
    copyText(text: string, element: JQuery, message?: string): boolean;
  };
  tray: { show(options: TrayOptions): void; close(): void; resize(): void };
  utils: {
    getNodeLabel(node: EditorNode | null, otherwise: string): string;
    validateTypedProperty(value: string, type: string, options?: object): true | string;
  };
  validators: {
    number(blankAllowed?: boolean): (value: string) => boolean;
  };
};
