/** Pictures that messages hold themselves, as data URLs. Only kinds that browsers show without running anything. */

const HELD = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=]+)$/;

/** Whether an address is a picture that can be shown without asking anybody. */
export const isHeld = (url: string): boolean => HELD.test(url);

/** The kind of a picture and its base64; undefined for an address of another kind. */
export function heldPicture(url: string): { type: string; base64: string } | undefined {
  const [, type, base64] = HELD.exec(url) ?? [];
  return type === undefined || base64 === undefined ? undefined : { type, base64 };
}

/** A piece of a path that leads neither up nor elsewhere; a dot may be written as %2e. */
const PIECE = "(?!(?:\\.|%2[eE]){1,2}/)[\\w.~!*'()%-]+";
const SERVED = new RegExp(`^openai-runs-panel/${PIECE}/pictures/${PIECE}/${PIECE}/\\d+$`);

/**
 * Where the panel serves a picture that a message holds, below the editor's own address.
 * @param index of the part in the message's content
 */
export function servedPicture(service: string, thread: string, message: string, index: number): string {
  const [of, on, one] = [service, thread, message].map(encodeURIComponent);
  return `openai-runs-panel/${of}/pictures/${on}/${one}/${index}`;
}

/** Whether an address is one that `servedPicture` makes. */
export const isServed = (url: string): boolean => SERVED.test(url);
