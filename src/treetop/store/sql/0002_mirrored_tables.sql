-- Tables that are kept row by row, as a zone has them: those of a region's API database, and what of a cell is not
-- part of a server's row. Table nova_X has the columns that `nova.mirrored_tables` reads of X (a test compares them).
--
-- The zone is part of every key (docs/adr/0003). Locks the registry for milliseconds.

-- What a zone is: a cell of Nova's, or the API database of a region.
ALTER TABLE zone ADD COLUMN kind text NOT NULL DEFAULT 'cell' CHECK (kind IN ('cell', 'api'));

-- More is read of a zone than before: every zone is loaded again, beside the rows that are there. A worker of the
-- former version that still runs loses its zone, or it would go on without what it does not know.
UPDATE zone_position
   SET position = NULL, is_loaded = false, loaded_upto = NULL, feed_from = NULL, owner = NULL, lease_until = '-infinity';

-- Of the API database

CREATE TABLE nova_flavors (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, flavorid text, name text, memory_mb bigint, vcpus bigint,
    swap bigint, vcpu_weight bigint, root_gb bigint, ephemeral_gb bigint, rxtx_factor double precision,
    disabled boolean, is_public boolean, description text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_flavor_extra_specs (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    flavor_id bigint, key text, value text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_flavor_projects (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    flavor_id bigint, project_id text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_aggregates (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, uuid text, name text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_aggregate_hosts (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    aggregate_id bigint, host text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_aggregate_metadata (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    aggregate_id bigint, key text, value text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_cell_mappings (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    uuid text, name text, disabled boolean,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_host_mappings (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    cell_id bigint, host text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_quotas (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    project_id text, resource text, hard_limit bigint,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_quota_classes (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    class_name text, resource text, hard_limit bigint,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_project_user_quotas (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    user_id text, project_id text, resource text, hard_limit bigint,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_key_pairs (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, name text, user_id text, fingerprint text, public_key text,
    type text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_instance_groups (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, uuid text, name text, user_id text, project_id text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_instance_group_policy (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    group_id bigint, policy text, rules text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_instance_group_member (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    group_id bigint, instance_uuid text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_build_requests (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, project_id text, instance_uuid text, instance text, tags text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_instance_mappings (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, instance_uuid text, project_id text, cell_id bigint,
    user_id text, queued_for_delete boolean,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_request_specs (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    instance_uuid text, availability_zone text, scheduler_hints text,
    PRIMARY KEY (zone_id, id)
);
-- Of a cell

CREATE TABLE nova_services (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, host text, "binary" text, disabled_reason text,
    disabled boolean, forced_down boolean, last_seen_up timestamp, version bigint, deleted bigint, uuid text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_compute_nodes (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, uuid text, host text, hypervisor_hostname text,
    hypervisor_type text, host_ip text, cpu_info text, service_id bigint, hypervisor_version bigint,
    deleted bigint, current_workload bigint, running_vms bigint, vcpus bigint, vcpus_used bigint,
    memory_mb bigint, memory_mb_used bigint, free_ram_mb bigint, local_gb bigint, local_gb_used bigint,
    free_disk_gb bigint, disk_available_least bigint, ram_allocation_ratio double precision,
    cpu_allocation_ratio double precision, disk_allocation_ratio double precision, supported_instances text,
    pci_stats text, metrics text, stats text, numa_topology text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_migrations (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, instance_uuid text, status text, migration_type text,
    source_compute text, source_node text, dest_compute text, dest_node text, dest_host text,
    old_instance_type_id bigint, new_instance_type_id bigint, deleted bigint, hidden boolean,
    memory_total bigint, memory_processed bigint, memory_remaining bigint, disk_total bigint,
    disk_processed bigint, disk_remaining bigint, uuid text, user_id text, project_id text,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_instance_actions (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, updated_at timestamp, start_time timestamp, finish_time timestamp,
    instance_uuid text, action text, request_id text, user_id text, project_id text, message text,
    deleted bigint,
    PRIMARY KEY (zone_id, id)
);
CREATE TABLE nova_instance_actions_events (
    zone_id smallint NOT NULL, id bigint NOT NULL,
    created_at timestamp, start_time timestamp, finish_time timestamp, action_id bigint, deleted bigint,
    event text, result text, host text, traceback text, details text,
    PRIMARY KEY (zone_id, id)
);

CREATE INDEX nova_instance_group_member_instance ON nova_instance_group_member (instance_uuid);
CREATE INDEX nova_instance_group_member_group ON nova_instance_group_member (zone_id, group_id);
CREATE INDEX nova_instance_groups_project ON nova_instance_groups (project_id);
CREATE INDEX nova_instance_mappings_instance ON nova_instance_mappings (instance_uuid);
CREATE INDEX nova_request_specs_instance ON nova_request_specs (instance_uuid);
CREATE INDEX nova_build_requests_project ON nova_build_requests (project_id);
CREATE INDEX nova_key_pairs_user ON nova_key_pairs (user_id);
CREATE INDEX nova_quotas_project ON nova_quotas (project_id);
CREATE INDEX nova_project_user_quotas_project ON nova_project_user_quotas (project_id);
CREATE INDEX nova_aggregate_hosts_host ON nova_aggregate_hosts (host);
CREATE INDEX nova_services_host ON nova_services (zone_id, host);
CREATE INDEX nova_compute_nodes_host ON nova_compute_nodes (zone_id, host);
CREATE INDEX nova_migrations_instance ON nova_migrations (instance_uuid);
CREATE INDEX nova_instance_actions_instance ON nova_instance_actions (instance_uuid);
CREATE INDEX nova_instance_actions_events_action ON nova_instance_actions_events (zone_id, action_id);
