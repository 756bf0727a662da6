-- What systems sent us by themselves. `waits` is 1 until it was looked at; `body` is NULL when it was
-- kept long enough. The same table as PostgreSQL's step of this number.

CREATE TABLE webhook (
  workspace   TEXT    NOT NULL REFERENCES workspace (id),
  id          TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  body        TEXT,
  late        INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  waits       INTEGER NOT NULL,
  PRIMARY KEY (id, workspace)
) STRICT;

CREATE INDEX webhook_waiting ON webhook (workspace, received_at, id) WHERE waits = 1;
CREATE INDEX webhook_body_by_age ON webhook (received_at) WHERE body IS NOT NULL;
CREATE INDEX webhook_by_age ON webhook (received_at);
