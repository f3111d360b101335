/** Where a message is written: words, pictures, and the button that sends or stops. */
import { h, iconButton } from '../dom.ts';
import { text } from '../i18n.ts';
import { KINDS, Pictures } from './pictures.ts';

export interface Said {
  text: string;
  /** Data URLs. */
  pictures: string[];
}

export class Composer {
  readonly element: HTMLElement;
  private readonly actions: { send(said: Said): void; stop(): void };
  private readonly words: HTMLTextAreaElement;
  private readonly pictures = new Pictures();
  private readonly attach: HTMLButtonElement;
  private readonly button: HTMLButtonElement;
  private isGoing = false;
  /** Name of a model that does not look at pictures. */
  private blind: string | undefined;

  constructor(actions: Composer['actions']) {
    this.actions = actions;
    this.words = h('textarea', {
      rows: 2,
      placeholder: text('talk.message'),
      'aria-label': text('talk.message'),
      keydown: (event: KeyboardEvent) => this.key(event),
      paste: (event: ClipboardEvent) => {
        const data = event.clipboardData;
        // Programs copy words together with a picture of them.
        if (!data?.files.length || data.types.includes('text/plain')) return;
        event.preventDefault();
        this.add(data.files);
      },
    });
    const files = h('input', {
      type: 'file',
      accept: KINDS.join(),
      multiple: true,
      hidden: true,
      'aria-label': text('picture.attach'),
      change: () => {
        this.add(files.files ?? []);
        files.value = '';
        this.focus();
      },
    });
    this.attach = iconButton('picture-o', text('picture.attach'), () => files.click());
    this.button = iconButton('paper-plane', text('talk.send'), () =>
      this.isGoing ? actions.stop() : void this.send(),
    );
    this.button.classList.add('runs-send');
    const buttons = h('div', { class: 'runs-column' }, this.attach, this.button);
    this.element = h(
      'div',
      { class: 'runs-composer' },
      this.pictures.element,
      h('div', { class: 'runs-ask' }, this.words, files, buttons),
    );
  }

  /** Takes pictures that are dropped on an element; what else is dropped there is nobody's. */
  takeDrops(place: HTMLElement): void {
    const isOver = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const mark = (on: boolean) => place.classList.toggle('runs-drop', on);
    place.addEventListener('dragover', (event) => {
      if (!isOver(event)) return;
      event.preventDefault();
      mark(true);
    });
    place.addEventListener('dragleave', (event) => {
      if (!place.contains(event.relatedTarget as Node | null)) mark(false);
    });
    place.addEventListener('drop', (event) => {
      if (!isOver(event)) return;
      event.preventDefault();
      mark(false);
      this.add(event.dataTransfer?.files ?? []);
      this.focus();
    });
  }

  focus(): void {
    this.words.focus();
  }

  /** Whether the model is known not to look at pictures. */
  get isBlind(): boolean {
    return this.blind !== undefined;
  }

  get typed(): string {
    return this.words.value.trim();
  }

  /** Puts a message there to be sent, as it is or changed. */
  put({ text: words, pictures }: Said): void {
    this.words.value = words;
    this.pictures.put(pictures);
  }

  /** @param model its name where it does not look at pictures; undefined where it does, or nobody knows */
  setBlind(model: string | undefined): void {
    // What was told of it stands.
    if (model === this.blind) return;
    this.blind = model;
    this.attach.disabled = model !== undefined;
    const title = model === undefined ? text('picture.attach') : text('picture.blind', { model });
    this.attach.title = title;
    this.attach.setAttribute('aria-label', title);
    // What was said of another model holds no more.
    this.pictures.tell(model !== undefined && !this.pictures.isEmpty ? title : '');
  }

  /** Whether an answer is on its way, so that the button stops it. */
  setGoing(isGoing: boolean): void {
    this.isGoing = isGoing;
    const name = text(isGoing ? 'talk.stop' : 'talk.send');
    this.button.title = name;
    this.button.setAttribute('aria-label', name);
    this.button.firstElementChild!.className = `fa fa-${isGoing ? 'stop' : 'paper-plane'}`;
  }

  private add(files: Iterable<File>): void {
    if (this.blind === undefined) this.pictures.add(files);
    else this.pictures.tell(text('picture.blind', { model: this.blind }));
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === 'Escape' && this.isGoing) {
      event.stopPropagation();
      this.actions.stop();
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    if (!this.isGoing) void this.send();
  }

  private async send(): Promise<void> {
    if (this.blind !== undefined && !this.pictures.isEmpty)
      return this.pictures.tell(text('picture.blind', { model: this.blind }));
    const said = this.typed;
    // Taken at once: pictures may still be read when it is sent again.
    this.words.value = '';
    const pictures = await this.pictures.take();
    if (said === '' && pictures.length === 0) return;
    this.actions.send({ text: said, pictures });
  }
}
