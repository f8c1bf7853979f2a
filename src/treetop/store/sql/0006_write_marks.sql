-- Which callers wrote to which zones' Nova lately, by passing a request through: their next reads wait until the top
-- shows the zone as of then. Written by API processes, pruned by age. Locks nothing that exists: safe at any time.
CREATE TABLE write_mark (
    zone_id smallint NOT NULL,
    caller bytea NOT NULL,              -- a hash; never a token
    written_at timestamptz NOT NULL,    -- top's clock, when Nova had answered
    PRIMARY KEY (caller, zone_id)
) WITH (fillfactor = 80);
CREATE INDEX write_mark_written ON write_mark (written_at);
