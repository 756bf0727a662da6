-- Runs, and who is part of one that goes on. `body` and `preview` are JSON that no statement looks
-- into; `over` is 1 once nothing more comes. The same tables as PostgreSQL's step of this number.

CREATE TABLE sync_run (
  workspace   TEXT    NOT NULL REFERENCES workspace (id),
  id          TEXT    NOT NULL,
  revision    INTEGER NOT NULL,
  over        INTEGER NOT NULL,
  finished_at INTEGER,
  body        TEXT    NOT NULL,
  preview     TEXT,
  PRIMARY KEY (id, workspace)
) STRICT;

-- At most one goes on.
CREATE UNIQUE INDEX sync_run_open ON sync_run (workspace) WHERE over = 0;
CREATE INDEX sync_run_by_age ON sync_run (workspace, id);

-- `outcome` is NULL until something became of the person.
CREATE TABLE run_contact (
  workspace TEXT NOT NULL,
  run       TEXT NOT NULL,
  contact   TEXT NOT NULL,
  outcome   TEXT,
  PRIMARY KEY (contact, run, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_contact_by_run ON run_contact (run, workspace, outcome, contact);

-- The run whose listing showed the record last.
ALTER TABLE seen ADD COLUMN run TEXT;
CREATE INDEX seen_by_run ON seen (run, system, workspace) WHERE run IS NOT NULL;
