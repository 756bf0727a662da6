-- What several gateways share of a system's call budget. The same table as PostgreSQL's step of this
-- number; a gateway alone does not use it.

-- `key` names the system and the account; `body` is JSON that no statement looks into, NULL before
-- the first use.
CREATE TABLE budget (
  workspace TEXT NOT NULL REFERENCES workspace (id),
  key       TEXT NOT NULL,
  body      TEXT,
  PRIMARY KEY (key, workspace)
) STRICT, WITHOUT ROWID;
