-- What was asked for, what is agreed, what is being sent, what is to be done, what happened.
-- Times are epoch milliseconds (UTC); `body` is JSON that no statement looks into. The same tables
-- as PostgreSQL's step of this number.

-- Who has an address or a number that no system has shown with it yet.
CREATE TABLE reservation (
  workspace   TEXT    NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind IN ('EMAIL', 'PHONE')),
  value       TEXT    NOT NULL,
  contact     TEXT    NOT NULL,
  reserved_at INTEGER NOT NULL,
  PRIMARY KEY (value, kind, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_by_contact ON reservation (contact, workspace);

-- Canon and bases of all fields.
CREATE TABLE agreement (
  workspace TEXT NOT NULL,
  contact   TEXT NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (contact, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT;

-- `done_at` is NULL as long as something is left to be done. Ids sort by time.
CREATE TABLE edit (
  workspace TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  done_at   INTEGER,
  body      TEXT    NOT NULL,
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT;

CREATE INDEX edit_open ON edit (contact, workspace, id) WHERE done_at IS NULL;
CREATE INDEX edit_by_age ON edit (done_at) WHERE done_at IS NOT NULL;

ALTER TABLE idempotency ADD COLUMN edit TEXT;

-- A call that changes something, from before it is made until its outcome is known.
CREATE TABLE pending_write (
  workspace TEXT NOT NULL,
  id        TEXT NOT NULL,
  contact   TEXT NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT;

CREATE INDEX pending_write_by_contact ON pending_write (contact, workspace, id);

-- `gen` counts the marks and `done_gen` says up to which of them it is done.
-- `priority`: 0 a client's, 1 live, 2 backfill. `lease` is the token of who works on it.
CREATE TABLE work (
  workspace       TEXT    NOT NULL,
  kind            TEXT    NOT NULL,
  key             TEXT    NOT NULL,
  priority        INTEGER NOT NULL,
  gen             INTEGER NOT NULL,
  done_gen        INTEGER NOT NULL DEFAULT 0,
  due_at          INTEGER NOT NULL,
  attempt         INTEGER NOT NULL DEFAULT 0,
  lease           TEXT,
  lease_until     INTEGER NOT NULL DEFAULT 0,
  dead            INTEGER NOT NULL DEFAULT 0,
  last_error      TEXT,
  first_failed_at INTEGER,
  PRIMARY KEY (key, kind, workspace)
) STRICT;

CREATE INDEX work_due ON work (workspace, priority, due_at, kind)
  WHERE gen > done_gen AND dead = 0;
CREATE INDEX work_leased ON work (lease_until) WHERE lease IS NOT NULL;
CREATE INDEX work_dead ON work (workspace, kind) WHERE dead = 1;

-- Open while `closed_at` is NULL. `decision` is NULL when its question went away by itself; it is
-- carried out once `obeyed` is 1, and to be remembered while `remember` is 1.
CREATE TABLE hold (
  workspace TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  closed_at INTEGER,
  decision  TEXT,
  obeyed    INTEGER NOT NULL DEFAULT 0,
  remember  INTEGER NOT NULL DEFAULT 0,
  body      TEXT    NOT NULL,
  PRIMARY KEY (id, workspace)
) STRICT;

CREATE INDEX hold_open ON hold (workspace, id) WHERE closed_at IS NULL;

-- Whom a hold is about.
CREATE TABLE hold_contact (
  workspace TEXT NOT NULL,
  hold      TEXT NOT NULL,
  contact   TEXT NOT NULL,
  PRIMARY KEY (contact, hold, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX hold_contact_by_hold ON hold_contact (hold, workspace);

CREATE TABLE failure (
  workspace TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  system    TEXT    NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  code      TEXT    NOT NULL,
  dead      INTEGER NOT NULL,
  body      TEXT    NOT NULL,
  PRIMARY KEY (workspace, contact, system)
) STRICT;

CREATE TABLE event (
  workspace TEXT    NOT NULL,
  cursor    INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  kind      TEXT    NOT NULL,
  contact   TEXT,
  system    TEXT,
  run       TEXT,
  body      TEXT    NOT NULL,
  PRIMARY KEY (workspace, cursor)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_by_contact ON event (contact, workspace, cursor) WHERE contact IS NOT NULL;

-- `oldest_event` is the first cursor that is kept, `last_event` the last one given. `contacts`
-- counts those that were not merged away, so that nobody has to count them.
CREATE TABLE counter (
  workspace    TEXT    NOT NULL PRIMARY KEY REFERENCES workspace (id),
  last_event   INTEGER NOT NULL DEFAULT 0,
  oldest_event INTEGER NOT NULL DEFAULT 1,
  contacts     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO counter (workspace, contacts)
SELECT id, (SELECT count(*) FROM contact WHERE contact.workspace = workspace.id AND survivor IS NULL)
FROM workspace;

CREATE TABLE sync_settings (
  workspace TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
  state     TEXT NOT NULL,
  body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mapping (
  workspace TEXT    NOT NULL PRIMARY KEY REFERENCES workspace (id),
  revision  INTEGER NOT NULL,
  body      TEXT    NOT NULL
) STRICT;
