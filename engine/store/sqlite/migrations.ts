/**
 * The database's history, one entry a version. Entries are never edited once released; a change is a new entry.
 * Statements are SQLite's; another dialect brings its own list.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE assistants (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    name TEXT, description TEXT, model TEXT NOT NULL, instructions TEXT, tools TEXT NOT NULL,
    tool_resources TEXT NOT NULL, metadata TEXT NOT NULL, temperature REAL, top_p REAL,
    response_format TEXT NOT NULL, reasoning_effort TEXT
  );
  CREATE TABLE threads (
    id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, tool_resources TEXT NOT NULL, metadata TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL, role TEXT NOT NULL, status TEXT NOT NULL, content TEXT NOT NULL,
    attachments TEXT NOT NULL, metadata TEXT NOT NULL, assistant_id TEXT, run_id TEXT,
    completed_at INTEGER, incomplete_at INTEGER, incomplete_reason TEXT
  );
  CREATE INDEX messages_of_thread ON messages (thread_id, seq);
  CREATE INDEX messages_of_run ON messages (run_id, seq) WHERE run_id IS NOT NULL;
  CREATE INDEX user_messages ON messages (thread_id) WHERE role = 'user';
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    assistant_id TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER,
    expires_at INTEGER, cancelled_at INTEGER, failed_at INTEGER, completed_at INTEGER, required_action TEXT,
    last_error TEXT, incomplete_details TEXT, usage TEXT NOT NULL, metadata TEXT NOT NULL, options TEXT NOT NULL,
    worker TEXT, window_from INTEGER, window_head INTEGER
  );
  CREATE INDEX runs_of_thread ON runs (thread_id, seq);
  CREATE UNIQUE INDEX one_active_run ON runs (thread_id)
    WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling');
  CREATE INDEX active_runs ON runs (status, expires_at)
    WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling');
  CREATE TABLE steps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    thread_id TEXT NOT NULL, assistant_id TEXT NOT NULL, created_at INTEGER NOT NULL, type TEXT NOT NULL,
    status TEXT NOT NULL, details TEXT NOT NULL, last_error TEXT, usage TEXT, expires_at INTEGER,
    completed_at INTEGER, failed_at INTEGER, cancelled_at INTEGER, expired_at INTEGER, memory TEXT NOT NULL
  );
  CREATE INDEX steps_of_run ON steps (run_id, seq);
  CREATE TABLE workers (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, seen_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  // Partial indexes serve only queries that repeat their condition word for word, which a list of bound values does
  // not: whether a run is active becomes a column of its own.
  `
  ALTER TABLE runs ADD COLUMN active INTEGER NOT NULL DEFAULT 0;
  UPDATE runs SET active = 1 WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling');
  DROP INDEX one_active_run;
  DROP INDEX active_runs;
  CREATE UNIQUE INDEX one_active_run ON runs (thread_id) WHERE active = 1;
  CREATE INDEX active_runs ON runs (expires_at) WHERE active = 1;
  `,
  // Threads are walked over by age, to find those that are kept no longer.
  `
  CREATE INDEX threads_by_age ON threads (created_at, id);
  `,
  // Which attempt at a run may write, and how many events have been told of it.
  `
  ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN events INTEGER NOT NULL DEFAULT 2;
  `,
  // So that a request which is sent again finds what it has made.
  `
  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE
  ) WITHOUT ROWID;
  CREATE INDEX keys_of_run ON idempotency_keys (run_id);
  `,
  // Programs that share an engine may be kept to their own threads.
  `
  ALTER TABLE threads ADD COLUMN owner TEXT;
  `,
  // What runs came from: told by the program that the engine lives in, for those who look at runs as a whole.
  `
  CREATE TABLE run_origins (
    run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE, node_id TEXT NOT NULL, flow_id TEXT NOT NULL,
    msg_id TEXT NOT NULL, conversation TEXT, took INTEGER, marks TEXT
  ) WITHOUT ROWID;
  `,
  // Names outlive what had them: nodes that are deleted, keys that are revoked.
  `
  ALTER TABLE run_origins ADD COLUMN name TEXT;
  `,
  // Runs that have ended and whose threads go with them: few at any time, and looked for every second.
  `
  CREATE INDEX runs_to_forget ON runs (seq) WHERE active = 0 AND options LIKE '%,"forgetsThread":true}';
  `,
];
