/** Words that people look for in the palette: its filter reads the label that an entry carries, and its type. */

const WORDS = 'openai runs chat llm gpt ollama assistant ai agent thread tool';

/** Lets the palette find an entry by more words than it shows. */
export function findBy(type: string): void {
  const add = () => {
    const entry = $(`.red-ui-palette-node[data-palette-type="${type}"]`);
    const label = entry.attr('data-palette-label');
    if (label && !label.includes(WORDS)) entry.attr('data-palette-label', `${label} ${WORDS}`);
  };
  // The entry is made after its type is known, and again when its module is enabled.
  RED.events.on('registry:node-type-added', (added: string) => {
    if (added === type) setTimeout(add);
  });
}
