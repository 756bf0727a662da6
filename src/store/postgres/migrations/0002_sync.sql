-- What was asked for, what is agreed, what is being sent, what is to be done, what happened.
-- Times are epoch milliseconds (UTC); `body` is JSON that no statement looks into. The same tables
-- as SQLite's step of this number.

-- Who has an address or a number that no system has shown with it yet.
CREATE TABLE reservation (
  workspace TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('EMAIL', 'PHONE')),
  value TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  reserved_at BIGINT NOT NULL,
  PRIMARY KEY (value, kind, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

CREATE INDEX reservation_by_contact ON reservation (contact, workspace);

-- Canon and bases of all fields.
CREATE TABLE agreement (
  workspace TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (contact, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

-- `done_at` is NULL as long as something is left to be done. Ids sort by time.
CREATE TABLE edit (
  workspace TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  done_at BIGINT,
  body TEXT NOT NULL,
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

CREATE INDEX edit_open ON edit (contact, workspace, id) WHERE done_at IS NULL;
CREATE INDEX edit_by_age ON edit (done_at) WHERE done_at IS NOT NULL;

ALTER TABLE idempotency ADD COLUMN edit TEXT COLLATE "C";

-- A call that changes something, from before it is made until its outcome is known.
CREATE TABLE pending_write (
  workspace TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

CREATE INDEX pending_write_by_contact ON pending_write (contact, workspace, id);

-- `gen` counts the marks and `done_gen` says up to which of them it is done.
-- `priority`: 0 a client's, 1 live, 2 backfill. `lease` is the token of who works on it.
CREATE TABLE work (
  workspace TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  priority BIGINT NOT NULL,
  gen BIGINT NOT NULL,
  done_gen BIGINT NOT NULL DEFAULT 0,
  due_at BIGINT NOT NULL,
  attempt BIGINT NOT NULL DEFAULT 0,
  lease TEXT COLLATE "C",
  lease_until BIGINT NOT NULL DEFAULT 0,
  dead BIGINT NOT NULL DEFAULT 0,
  last_error TEXT,
  first_failed_at BIGINT,
  PRIMARY KEY (key, kind, workspace)
);

CREATE INDEX work_due ON work (workspace, priority, due_at, kind)
  WHERE gen > done_gen AND dead = 0;
CREATE INDEX work_leased ON work (lease_until) WHERE lease IS NOT NULL;
CREATE INDEX work_dead ON work (workspace, kind) WHERE dead = 1;

-- Open while `closed_at` is NULL. `decision` is NULL when its question went away by itself; it is
-- carried out once `obeyed` is 1, and to be remembered while `remember` is 1.
CREATE TABLE hold (
  workspace TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  closed_at BIGINT,
  decision TEXT,
  obeyed BIGINT NOT NULL DEFAULT 0,
  remember BIGINT NOT NULL DEFAULT 0,
  body TEXT NOT NULL,
  PRIMARY KEY (id, workspace)
);

CREATE INDEX hold_open ON hold (workspace, id) WHERE closed_at IS NULL;

-- Whom a hold is about.
CREATE TABLE hold_contact (
  workspace TEXT COLLATE "C" NOT NULL,
  hold TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (contact, hold, workspace)
);

CREATE INDEX hold_contact_by_hold ON hold_contact (hold, workspace);

CREATE TABLE failure (
  workspace TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  system TEXT COLLATE "C" NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  code TEXT COLLATE "C" NOT NULL,
  dead BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (workspace, contact, system)
);

CREATE TABLE event (
  workspace TEXT COLLATE "C" NOT NULL,
  cursor BIGINT NOT NULL,
  at BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C",
  system TEXT COLLATE "C",
  run TEXT COLLATE "C",
  body TEXT NOT NULL,
  PRIMARY KEY (workspace, cursor)
);

CREATE INDEX event_by_contact ON event (contact, workspace, cursor) WHERE contact IS NOT NULL;

-- `oldest_event` is the first cursor that is kept, `last_event` the last one given. `contacts`
-- counts those that were not merged away, so that nobody has to count them.
CREATE TABLE counter (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES workspace (id),
  last_event BIGINT NOT NULL DEFAULT 0,
  oldest_event BIGINT NOT NULL DEFAULT 1,
  contacts BIGINT NOT NULL DEFAULT 0
);

INSERT INTO counter (workspace, contacts)
SELECT id, (SELECT count(*) FROM contact WHERE contact.workspace = workspace.id AND survivor IS NULL)
FROM workspace;

CREATE TABLE sync_settings (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES workspace (id),
  state TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL
);

CREATE TABLE mapping (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES workspace (id),
  revision BIGINT NOT NULL,
  body TEXT NOT NULL
);
