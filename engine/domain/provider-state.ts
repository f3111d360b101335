/** What a step remembers for the model's sake; clients never see it. */
export interface ProviderState {
  /** Under which ids the provider knows the step's calls, by position; empty for tools it ran itself. */
  ids: string[];
  /** Items a provider wants to see again, and after how many of the step's own items they came. */
  carry: { at: number; provider: string; data: unknown }[];
}
