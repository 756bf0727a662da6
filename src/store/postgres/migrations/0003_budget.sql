-- What several gateways share of a system's call budget. The same table as SQLite's step of this
-- number.

-- `key` names the system and the account; `body` is JSON that no statement looks into, NULL before
-- the first use. It changes several times a second, in place: no index is on it and the page has room.
CREATE TABLE budget (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  key TEXT COLLATE "C" NOT NULL,
  body TEXT,
  PRIMARY KEY (key, workspace)
) WITH (fillfactor = 20);
