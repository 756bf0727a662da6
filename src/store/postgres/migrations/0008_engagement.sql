-- What was last seen of people's deliveries, and how far looking for it is (`body` and `position` are
-- JSON that no statement looks into). The same tables as SQLite's step of this number.

CREATE TABLE engagement (
  workspace TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (contact, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

CREATE TABLE engagement_round (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES workspace (id),
  position TEXT NOT NULL
);

-- Addresses that opted out, by their hash: it outlives links and agreements.
CREATE TABLE suppression (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  hash TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (hash, workspace)
);
