-- What systems sent us by themselves. `waits` is 1 until it was looked at; `body` is NULL when it was
-- kept long enough. The same table as SQLite's step of this number.

CREATE TABLE webhook (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  body TEXT,
  late BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  waits BIGINT NOT NULL,
  PRIMARY KEY (id, workspace)
);

CREATE INDEX webhook_waiting ON webhook (workspace, received_at, id) WHERE waits = 1;
CREATE INDEX webhook_body_by_age ON webhook (received_at) WHERE body IS NOT NULL;
CREATE INDEX webhook_by_age ON webhook (received_at);
