-- Writes to subscribers that wait for a bulk import, and the imports that were sent. The same tables as
-- PostgreSQL's step of this number.

-- `state`: WAITING for an import; SENT in the one that `import` names; ENDED with it, and whoever read the
-- subscriber since `since` knows what came of it; SINGLY, because it is better written alone. `body` is
-- JSON that no statement looks into. Ids sort by time.
CREATE TABLE parked (
  workspace TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  list      TEXT,
  state     TEXT    NOT NULL CHECK (state IN ('WAITING', 'SENT', 'ENDED', 'SINGLY')),
  import    TEXT,
  since     INTEGER,
  edit      TEXT    NOT NULL,
  body      TEXT    NOT NULL,
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT;

CREATE INDEX parked_by_contact ON parked (contact, workspace, id);
CREATE INDEX parked_waiting ON parked (workspace, id) WHERE state = 'WAITING';
CREATE INDEX parked_by_import ON parked (import, workspace) WHERE import IS NOT NULL;

-- `task` is NULL until Doppler's answer is known. `over` is 1 once Doppler has ended it.
CREATE TABLE bulk_import (
  workspace TEXT    NOT NULL REFERENCES workspace (id),
  id        TEXT    NOT NULL,
  list      TEXT,
  token     TEXT    NOT NULL,
  task      TEXT,
  over      INTEGER NOT NULL,
  begun_at  INTEGER NOT NULL,
  PRIMARY KEY (id, workspace)
) STRICT;

CREATE UNIQUE INDEX bulk_import_by_token ON bulk_import (token);
CREATE INDEX bulk_import_open ON bulk_import (workspace, id);
