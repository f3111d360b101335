/** The fields that are a text or come from elsewhere: address, organization, project; and the key. */
import { nameParts } from '../../shared/editor/name-parts.ts';
import { CHOICES, TYPED } from '../settings.ts';
import { text } from './i18n.ts';
import { checkVariable } from './validate.ts';

type Typed = (typeof TYPED)[number];

/** The address of a model is one for all messages. */
const FIXED = ['str', 'env'];

const input = (name: string) => $(`#node-config-input-${name}`);
const key = () => $('#runs-service-key-typed');

/** The input that a person sees of a typed field. */
export const visible = (name: Typed | 'key') => $(`#runs-service-${name}`);

export const typeOf = (name: Typed): string => input(name).typedInput('type');
export const textOf = (name: Typed): string => input(name).typedInput('value');

/** Makes the typed fields of their plain inputs. */
export function prepareTyped(): void {
  for (const name of TYPED) {
    input(name).typedInput({ types: [...CHOICES.urlType], typeField: `#node-config-input-${name}Type` });
    nameParts(input(name).parent(), `runs-service-${name}`, text(`label.${name}`));
  }
  visible('url').attr('aria-describedby', 'runs-service-url-hint');
  prepareKey();
}

/** Offers the types that a backend has; one that is chosen and not among them becomes a text. */
export function offerTypes(embedded: boolean): void {
  const types = embedded ? FIXED : [...CHOICES.urlType];
  if (input('url').data('offered') === types.length) return;
  input('url').data('offered', types.length).typedInput('types', types);
}

export function setUrl(url: string): void {
  input('url').typedInput('type', 'str').typedInput('value', url);
}

/** The key as it stands in the dialog: what was typed, or the editor's sign for the one that is stored. */
export function keySettings(): { apiKeyType: string; apiKey: string; apiKeyEnv: string } {
  const [type, value] = [key().typedInput('type'), key().typedInput('value')];
  const isVariable = type === 'env';
  return {
    apiKeyType: type,
    apiKey: isVariable ? '' : value,
    apiKeyEnv: isVariable ? nameOnly(value) : '',
  };
}

/** Puts into the inputs what is to be saved; of the key only what is in use. */
export function saveTyped(): void {
  for (const name of TYPED) {
    const value = textOf(name).trim();
    input(name).val(typeOf(name) === 'env' ? nameOnly(value) : value);
  }
  for (const [name, value] of Object.entries(keySettings())) input(name).val(value);
}

/** The runtime puts a value in the place of `${NAME}` before a node sees it; a name stays a name. */
function nameOnly(value: string): string {
  return value.trim().replace(/^\$\{([^}]+)\}$/, '$1');
}

/** One field for two properties: what was typed as the one is not shown as the other. */
function prepareKey(): void {
  const kept: Record<string, string> = {
    cred: String(input('apiKey').val() ?? ''),
    env: String(input('apiKeyEnv').val() ?? ''),
  };
  let shown = input('apiKeyType').val() === 'env' ? 'env' : 'cred';
  const label = (type: string) => RED._(`typedInput.type.${type}`);
  const variable = { value: 'env', label: label('env'), icon: 'red/images/typedInput/env.svg' };
  key()
    .val(kept[shown] ?? '')
    .typedInput({
      types: [
        { value: 'cred', label: label('cred'), icon: 'fa fa-lock', inputType: 'password' },
        { ...variable, validate: checkVariable },
      ],
      typeField: '#node-config-input-apiKeyType',
    });
  key().on('change', () => {
    const [type, value] = [key().typedInput('type'), key().typedInput('value')];
    if (type === shown) kept[type] = value;
    else {
      shown = type;
      key().typedInput('value', kept[type] ?? '');
    }
  });
  nameParts(key().parent(), 'runs-service-key', text('label.apiKey'));
}
