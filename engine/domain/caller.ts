/** Who asks, where it is not the program that the engine lives in. */

/** Another program, as far as it may go. */
export interface Caller {
  /** Whose the threads are that it makes. */
  id: string;
  /** What people call it: kept with the runs that it makes. */
  name?: string;
  /** Whether it sees only those. */
  ownThreads?: boolean;
  /** Ids of the only assistants that it sees and may run; it can't make or change any then. */
  assistants?: readonly string[];
  /**
   * Whether functions of assistants are answered by whoever hears the notices, in runs that it makes now: they seem to
   * go on where they wait for outputs. Functions that a run brings itself are the caller's to answer in any case.
   */
  isServedTools?: boolean;
  /** How many of its runs may be under way at once; 0 or nothing: no limit. */
  runsAtOnce?: number;
}
