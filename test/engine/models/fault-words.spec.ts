/** The engine's own sentences and those of the catalogues are the same faults, in the same words. */
import assert from 'node:assert/strict';
import { FAULTS, wordFault } from '../../../engine/models/faults.ts';
import { faultWords } from '../../../nodes/openai-runs-service/word-fault.ts';
import { catalogue } from '../../locales/catalogue.ts';

describe('words of a fault', () => {
  const english = catalogue('en-US', 'openai-runs-service');

  it('are in the catalogue as the engine has them', () => {
    const known = [...english].filter(([key]) => key.startsWith('fault.'));
    const ofEngine = Object.entries(FAULTS).map(([key, words]) => [`fault.${key}`, words]);
    // Only the nodes know whether they are in a container.
    assert.deepEqual(
      Object.fromEntries(known.filter(([key]) => key !== 'fault.inContainer')),
      Object.fromEntries(ofEngine),
    );
  });

  it('are filled in, and keep a place that nothing fills', () => {
    const fault = { key: 'said', values: { said: 'no __more__', status: 400 } } as const;
    assert.equal(wordFault(fault), 'The provider says: no __more__ (400, __address__)');
  });

  it('name the container where an address means the container itself', () => {
    const translate = (key: string) => key;
    const word = (address: string, contained: boolean) =>
      faultWords(translate, contained)({ key: 'notListening', values: { address } });
    assert.equal(word('http://127.0.0.1:11434/v1/models', true), 'fault.inContainer');
    assert.equal(word('http://localhost/v1', true), 'fault.inContainer');
    assert.equal(word('http://ollama:11434/v1', true), 'fault.notListening');
    assert.equal(word('http://127.0.0.1:11434/v1/models', false), 'fault.notListening');
  });
});
