/** Pictures beside a message: taken in, made small enough, shown before they are sent. */
import { isHeld } from '../../../shared/held-picture.ts';
import { getPicture } from '../api.ts';
import { h, iconButton, set } from '../dom.ts';
import { text } from '../i18n.ts';
import { thumbnail } from '../thumbnail.ts';

/** What providers take. */
export const KINDS = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
/** Bytes of the pictures of one message: Node-RED takes requests of 5 MB, and what is sent is a third longer. */
const MOST_BYTES = 3 * 2 ** 20;
/** Bytes beyond which a picture is drawn anew, and the pixels of its longer side then: more, no model looks at. */
const LARGE = { bytes: 2 ** 20, side: 2048, quality: 0.85 };

interface Picture {
  name: string;
  /** A data URL. */
  url: string;
  bytes: number;
}

export class Pictures {
  readonly element: HTMLElement;
  private readonly strip = h('div', { class: 'runs-strip' });
  private readonly note = h('p', { class: 'runs-told', role: 'alert' });
  private pictures: Picture[] = [];
  private reading: Promise<void> = Promise.resolve();

  constructor() {
    this.element = h('div', { class: 'runs-pictures' }, this.strip, this.note);
    this.draw();
  }

  /** Takes files in, one after the other; what can't be sent is told. */
  add(files: Iterable<File>): void {
    this.tell('');
    for (const file of files) this.reading = this.reading.then(() => this.read(file));
  }

  /** Puts pictures there that were sent before. @param urls data URLs */
  put(urls: string[]): void {
    this.pictures = urls.map((url) => ({ name: text('talk.picture'), url, bytes: (url.length * 3) / 4 }));
    this.tell('');
    this.draw();
  }

  /** @param note why there is no picture, or no further one */
  tell(note: string): void {
    set(this.note, note);
    this.note.hidden = note === '';
  }

  /** All that is there, once it is read; then nothing is. @returns data URLs */
  async take(): Promise<string[]> {
    await this.reading;
    const urls = this.pictures.map(({ url }) => url);
    this.put([]);
    return urls;
  }

  get isEmpty(): boolean {
    return this.pictures.length === 0;
  }

  private async read(file: File): Promise<void> {
    const name = file.name || text('talk.picture');
    const blob = await small(file).catch(() => undefined);
    if (!blob) return this.tell(text('picture.kind', { name }));
    const bytes = this.pictures.reduce((sum, one) => sum + one.bytes, blob.size);
    if (bytes > MOST_BYTES)
      return this.tell(text('picture.size', { name, most: Math.floor(MOST_BYTES / 2 ** 20) }));
    this.pictures.push({ name, url: await dataUrl(blob), bytes: blob.size });
    this.draw();
  }

  private draw(): void {
    set(this.strip, ...this.pictures.map((picture) => this.shown(picture)));
    this.strip.hidden = this.isEmpty;
  }

  private shown(picture: Picture): HTMLElement {
    const { name, url } = picture;
    const remove = iconButton('times', text('picture.remove', { name }), () => {
      this.pictures = this.pictures.filter((one) => one !== picture);
      this.draw();
      this.element.closest('.runs-composer')?.querySelector('textarea')?.focus();
    });
    return h('span', { class: 'runs-picture', title: name }, thumbnail(url, name), remove);
  }
}

/** A picture as it is, or drawn anew where it is large. @throws where it is none that can be sent */
async function small(file: File): Promise<Blob> {
  if (!KINDS.includes(file.type)) throw new TypeError(file.type);
  const image = await createImageBitmap(file);
  try {
    if (file.size <= LARGE.bytes) return file;
    const scale = Math.min(1, LARGE.side / Math.max(image.width, image.height));
    const canvas = h('canvas', {
      width: Math.round(image.width * scale),
      height: Math.round(image.height * scale),
    });
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const drawn = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', LARGE.quality));
    return drawn && drawn.size < file.size ? drawn : file;
  } finally {
    image.close();
  }
}

/** A picture of a message as it is sent again. @param url one that can be shown @returns a data URL @throws Fault */
export async function wholePicture(url: string): Promise<string> {
  return isHeld(url) ? url : dataUrl(await getPicture(url));
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
