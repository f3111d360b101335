/** A field as it is saved in the flow: the typedInput's text and type. */
export interface SavedField {
  value: string;
  type: string;
}
