-- The top: zones, how far each one has been read, and one fully denormalised row per server.
--
-- Kept within what Citus accepts (docs/adr/0003): the zone is part of every unique key, no triggers, no foreign
-- keys, no sequences that order anything. Locks nothing that exists: safe at any time.

-- One row: what tells this top from another that reads the same zones (part of the names of replication slots).
CREATE TABLE top (
    id text NOT NULL
);
INSERT INTO top VALUES (substr(md5(random()::text || clock_timestamp()::text), 1, 8));

CREATE TABLE zone (
    id smallint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    region text NOT NULL,
    trust text NOT NULL CHECK (trust IN ('servers', 'full')),
    url text NOT NULL,                  -- without a password
    password text,                      -- where the password is: file:/path or env:NAME; never the password
    added_at timestamptz NOT NULL DEFAULT now()
);

-- How far a zone has been read. Written by its worker in the same commit as the rows (the batch's one row).
CREATE TABLE zone_position (
    zone_id smallint PRIMARY KEY,
    identity text,                      -- the history the position belongs to; NULL: never opened
    position text,                      -- just after the last applied transaction; NULL: never opened
    loaded_upto bigint,                 -- instances.id up to which chunks are in; NULL with is_loaded: all
    is_loaded boolean NOT NULL DEFAULT false,
    as_of timestamptz,                  -- the instant (top's clock) whose state of the zone the rows show
    committed_at timestamptz,           -- zone's clock: commit of the last applied transaction
    transactions bigint NOT NULL DEFAULT 0,
    changes bigint NOT NULL DEFAULT 0,
    feed_from timestamp,                -- server_feed is complete for updated_at at or after this (zone's clock)
    owner text,                         -- the worker that may commit; NULL: none
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

-- What a person is told about a zone. Written at each move of its life, never by the batch.
CREATE TABLE zone_status (
    zone_id smallint PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('new', 'loading', 'catching up', 'live', 'waiting', 'stopped')),
    since timestamptz NOT NULL DEFAULT now(),
    reason text,                        -- why it waits or stopped; NULL otherwise
    hint text,                          -- what to type next; NULL: nothing
    attempts integer NOT NULL DEFAULT 0,
    retry_at timestamptz
);

-- A zone's status as a person should see it: what its worker recorded, or that no worker is there to record anything.
CREATE VIEW zone_standing AS
SELECT zone_id,
       CASE WHEN is_read OR state NOT IN ('loading', 'catching up', 'live') THEN state ELSE 'waiting' END AS state,
       since,
       CASE WHEN is_read OR reason IS NOT NULL THEN reason ELSE 'no worker reads this zone' END AS reason,
       CASE WHEN is_read OR reason IS NOT NULL THEN hint ELSE 'treetop sync' END AS hint,
       retry_at
  FROM zone_status
  JOIN (SELECT zone_id, owner IS NOT NULL AND lease_until > now() AS is_read FROM zone_position) AS p USING (zone_id);

-- A comparison of the top's rows with the zone's, asked for by `treetop zone verify`, done by the zone's worker.
CREATE TABLE zone_verification (
    zone_id smallint NOT NULL,
    id uuid NOT NULL,
    repair boolean NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,            -- NULL: waiting or running
    rows bigint NOT NULL DEFAULT 0,     -- servers compared so far
    differences bigint NOT NULL DEFAULT 0,
    examples jsonb NOT NULL DEFAULT '[]',  -- the first differences: [{"uuid", "kind", "columns": {name: [top, zone]}}]
    PRIMARY KEY (zone_id, id)
);

-- The aggregate table. Each source table owns its columns; `instances` makes and removes the row.
-- JSON that is merged row by row is jsonb keyed by the source row's id, so that the order of a batch does not
-- matter; JSON that is replaced whole is text, pasted into answers as it is.
-- Never index a column that every update changes (updated_at, vm_state, task_state): it ends HOT updates.
CREATE TABLE server (
    zone_id smallint NOT NULL,
    uuid uuid NOT NULL,
    -- instances
    source_id bigint NOT NULL,          -- instances.id, unique in its zone only
    created_at timestamp,
    updated_at timestamp,
    launched_at timestamp,
    terminated_at timestamp,
    power_state integer,
    progress integer,
    instance_type_id integer,
    launch_index integer,
    memory_mb integer,
    vcpus integer,
    root_gb integer,
    ephemeral_gb integer,
    deleted boolean NOT NULL,
    hidden boolean,
    locked boolean,
    auto_disk_config boolean,
    project_id text,
    user_id text,
    display_name text,
    hostname text,
    vm_state text,
    task_state text,
    host text,
    node text,
    host_id text,                       -- Nova's hostId, made while decoding
    availability_zone text,
    image_ref text,
    kernel_id text,
    ramdisk_id text,
    key_name text,
    reservation_id text,
    root_device_name text,
    access_ip_v4 text,
    access_ip_v6 text,
    config_drive text,
    display_description text,
    locked_by text,
    user_data text,
    -- instance_extra
    extra_id bigint,
    flavor_id text,                     -- flavorid
    flavor_name text,
    flavor text,                        -- JSON text, the form of microversion 2.47 and later
    trusted_certs text,                 -- JSON text: ["id", …]
    -- instance_info_caches
    info_cache_id bigint,
    addresses text,                     -- JSON text: {"network": [{"version", "addr", …}]}
    fixed_ips text,                     -- ' 10.0.0.5 2001:db8::5 ', for the ip filters
    -- many rows each, by source row id
    metadata jsonb,                     -- {"17": ["key", "value"]}, live rows of instance_metadata
    system_metadata jsonb,              -- {"12": ["image_os_distro", "debian"]}: image_* and locked_reason
    tags jsonb,                         -- {"tag": true}
    volumes jsonb,                      -- {"3": {"id", "device", …}}, live rows of block_device_mapping with a volume
    faults jsonb,                       -- {"9": {"created", "code", "message", "details"}}, live rows of instance_faults
    PRIMARY KEY (uuid, zone_id)
) PARTITION BY LIST (zone_id);

-- Not unique: a zone that was restored from a backup gives ids again, and its rows come before a re-load has removed
-- the old ones.
CREATE INDEX server_source ON server (zone_id, source_id);
CREATE INDEX server_created ON server (created_at DESC NULLS LAST, uuid) WHERE NOT deleted;
CREATE INDEX server_project ON server (project_id, created_at DESC NULLS LAST, uuid) WHERE NOT deleted;
CREATE INDEX server_host ON server (zone_id, host) WHERE host IS NOT NULL;

-- Which servers changed, append-only, pruned by age: answers changes-since without an index that follows updates.
CREATE TABLE server_feed (
    zone_id smallint NOT NULL,
    uuid uuid NOT NULL,
    updated_at timestamp NOT NULL,      -- instances.updated_at after the change
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX server_feed_updated ON server_feed (updated_at);
CREATE INDEX server_feed_applied ON server_feed (zone_id, applied_at);
