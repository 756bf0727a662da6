-- Polls are runs. Of those in one slot at most one goes on: a system's name for polls of it that come by
-- themselves, the empty one for everything else. `idle` is 1 of a poll that found nothing. The same
-- columns as SQLite's step of this number.

ALTER TABLE sync_run ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'BACKFILL';
ALTER TABLE sync_run ADD COLUMN slot TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE sync_run ADD COLUMN idle BIGINT NOT NULL DEFAULT 0;

UPDATE sync_run SET kind = body::jsonb ->> 'kind';

DROP INDEX sync_run_open;
CREATE UNIQUE INDEX sync_run_open ON sync_run (workspace, slot) WHERE over = 0;
CREATE INDEX sync_run_by_slot ON sync_run (workspace, slot, kind, id);
