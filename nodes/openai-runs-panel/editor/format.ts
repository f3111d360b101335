/** Numbers and times as people read them, in the editor's language. */

const language = () => localStorage.getItem('editor-language') || undefined;

/** e.g. 12,345 */
export const count = (value: number): string => value.toLocaleString(language());

/** Milliseconds as seconds, minutes or hours. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '–';
  const seconds = ms / 1000;
  if (seconds < 1) return `${Math.max(0, Math.round(ms))} ms`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** The same for times of the API, which are whole seconds. */
export const wholeSeconds = (ms: number): string => (ms < 1000 ? '< 1 s' : duration(ms));

/** The time of today, the day of what is older. @param at milliseconds since 1970 */
export function moment(at: number): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? date.toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit', second: '2-digit' })
    : date.toLocaleDateString(language(), {
        day: 'numeric',
        month: 'short',
        hour: '2-digit',
        minute: '2-digit',
      });
}

/** JSON text indented, where it is some. */
export function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
