/** Why a model could not answer, in the runtime's language. */
import { existsSync } from 'node:fs';
import type { Fault } from '../../engine/index.ts';
import { isLoopback } from '../shared/loopback.ts';
import type { ServiceTranslate } from '../shared/texts.ts';

/** Whether this process runs in a container, where 127.0.0.1 is not the machine that a person means. */
export const inContainer = (): boolean => existsSync('/.dockerenv') || existsSync('/run/.containerenv');

/** @param isContained whether the process runs in a container */
export function faultWords(translate: ServiceTranslate, isContained = inContainer()) {
  return function word({ key, values }: Fault): string {
    const itself = key === 'notListening' && isContained && isLoopback(String(values.address));
    return translate(`fault.${itself ? 'inContainer' : key}`, values);
  };
}
