-- Runs, and who is part of one that goes on. `body` and `preview` are JSON that no statement looks
-- into; `over` is 1 once nothing more comes. The same tables as SQLite's step of this number.

CREATE TABLE sync_run (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  id TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  over BIGINT NOT NULL,
  finished_at BIGINT,
  body TEXT NOT NULL,
  preview TEXT,
  PRIMARY KEY (id, workspace)
);

-- At most one goes on.
CREATE UNIQUE INDEX sync_run_open ON sync_run (workspace) WHERE over = 0;
CREATE INDEX sync_run_by_age ON sync_run (workspace, id);

-- `outcome` is NULL until something became of the person.
CREATE TABLE run_contact (
  workspace TEXT COLLATE "C" NOT NULL,
  run TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C",
  PRIMARY KEY (contact, run, workspace)
);

CREATE INDEX run_contact_by_run ON run_contact (run, workspace, outcome, contact);

-- The run whose listing showed the record last.
ALTER TABLE seen ADD COLUMN run TEXT COLLATE "C";
CREATE INDEX seen_by_run ON seen (run, system, workspace) WHERE run IS NOT NULL;
