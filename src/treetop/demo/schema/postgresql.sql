-- SPDX-License-Identifier: Apache-2.0
-- The tables of a Nova cell that servers live in, on PostgreSQL: every column, key and foreign key of Nova 34, in Nova's order.
-- The tests compare this with what `nova-manage db sync` makes.

CREATE TYPE instances0locked_by AS ENUM ('owner', 'admin');
CREATE TYPE shadow_instances0locked_by AS ENUM ('owner', 'admin');
CREATE TYPE migration_type AS ENUM ('migration', 'resize', 'live-migration', 'evacuation');

CREATE TABLE instances (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  internal_id INTEGER, user_id VARCHAR(255), project_id VARCHAR(255),
  image_ref VARCHAR(255), kernel_id VARCHAR(255), ramdisk_id VARCHAR(255), launch_index INTEGER,
  key_name VARCHAR(255), key_data TEXT,
  power_state INTEGER, vm_state VARCHAR(255), memory_mb INTEGER, vcpus INTEGER,
  hostname VARCHAR(255), host VARCHAR(255), user_data TEXT, reservation_id VARCHAR(255),
  launched_at TIMESTAMP, terminated_at TIMESTAMP,
  display_name VARCHAR(255), display_description VARCHAR(255), availability_zone VARCHAR(255),
  locked BOOLEAN, os_type VARCHAR(255), launched_on TEXT, instance_type_id INTEGER, vm_mode VARCHAR(255),
  uuid VARCHAR(36) NOT NULL,
  architecture VARCHAR(255), root_device_name VARCHAR(255), access_ip_v4 INET, access_ip_v6 INET,
  config_drive VARCHAR(255), task_state VARCHAR(255),
  default_ephemeral_device VARCHAR(255), default_swap_device VARCHAR(255), progress INTEGER,
  auto_disk_config BOOLEAN, shutdown_terminate BOOLEAN, disable_terminate BOOLEAN,
  root_gb INTEGER, ephemeral_gb INTEGER, cell_name VARCHAR(255), node VARCHAR(255), deleted INTEGER,
  locked_by instances0locked_by, cleaned INTEGER, ephemeral_key_uuid VARCHAR(36), hidden BOOLEAN, compute_id BIGINT,
  CONSTRAINT uniq_instances0uuid UNIQUE (uuid)
);
CREATE INDEX instances_host_node_deleted_idx ON instances (host, node, deleted);
CREATE INDEX instances_host_deleted_cleaned_idx ON instances (host, deleted, cleaned);
CREATE INDEX instances_project_id_deleted_idx ON instances (project_id, deleted);
CREATE INDEX instances_deleted_created_at_idx ON instances (deleted, created_at);
CREATE INDEX instances_reservation_id_idx ON instances (reservation_id);
CREATE INDEX instances_task_state_updated_at_idx ON instances (task_state, updated_at);
CREATE INDEX instances_project_id_idx ON instances (project_id);
CREATE INDEX instances_updated_at_project_id_idx ON instances (updated_at, project_id);
CREATE INDEX instances_uuid_deleted_idx ON instances (uuid, deleted);
CREATE INDEX instances_terminated_at_launched_at_idx ON instances (terminated_at, launched_at);
CREATE INDEX instances_compute_id_deleted_idx ON instances (compute_id, deleted);

CREATE TABLE instance_extra (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP, deleted INTEGER,
  id SERIAL PRIMARY KEY,
  instance_uuid VARCHAR(36) NOT NULL,
  numa_topology TEXT, pci_requests TEXT, flavor TEXT, vcpu_model TEXT, migration_context TEXT, keypairs TEXT,
  device_metadata TEXT, trusted_certs TEXT, vpmems TEXT, resources TEXT,
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX instance_extra_idx ON instance_extra (instance_uuid);

CREATE TABLE instance_info_caches (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  network_info TEXT, instance_uuid VARCHAR(36) NOT NULL, deleted INTEGER,
  CONSTRAINT uniq_instance_info_caches0instance_uuid UNIQUE (instance_uuid),
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);

CREATE TABLE instance_metadata (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  key VARCHAR(255), value VARCHAR(255), instance_uuid VARCHAR(36), deleted INTEGER,
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX instance_metadata_instance_uuid_idx ON instance_metadata (instance_uuid);

CREATE TABLE instance_system_metadata (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  instance_uuid VARCHAR(36) NOT NULL, key VARCHAR(255) NOT NULL, value VARCHAR(255), deleted INTEGER,
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX instance_uuid ON instance_system_metadata (instance_uuid);

CREATE TABLE tags (
  resource_id VARCHAR(36) NOT NULL, tag VARCHAR(80) NOT NULL,
  PRIMARY KEY (resource_id, tag)
);
CREATE INDEX tags_tag_idx ON tags (tag);

CREATE TABLE block_device_mapping (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  device_name VARCHAR(255), delete_on_termination BOOLEAN,
  snapshot_id VARCHAR(36), volume_id VARCHAR(36), volume_size INTEGER, no_device BOOLEAN, connection_info TEXT,
  instance_uuid VARCHAR(36), deleted INTEGER,
  source_type VARCHAR(255), destination_type VARCHAR(255), guest_format VARCHAR(255), device_type VARCHAR(255),
  disk_bus VARCHAR(255), boot_index INTEGER, image_id VARCHAR(36), tag VARCHAR(255), attachment_id VARCHAR(36),
  uuid VARCHAR(36), volume_type VARCHAR(255), encrypted BOOLEAN, encryption_secret_uuid VARCHAR(36),
  encryption_format VARCHAR(128), encryption_options VARCHAR(4096),
  CONSTRAINT uniq_block_device_mapping0uuid UNIQUE (uuid),
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX volume_id ON block_device_mapping (volume_id);
CREATE INDEX block_device_mapping_instance_uuid_device_name_idx ON block_device_mapping (instance_uuid, device_name);
CREATE INDEX snapshot_id ON block_device_mapping (snapshot_id);
CREATE INDEX block_device_mapping_instance_uuid_volume_id_idx ON block_device_mapping (instance_uuid, volume_id);
CREATE INDEX block_device_mapping_instance_uuid_idx ON block_device_mapping (instance_uuid);

CREATE TABLE instance_faults (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  instance_uuid VARCHAR(36), code INTEGER NOT NULL, message VARCHAR(255), details TEXT, host VARCHAR(255), deleted INTEGER,
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX instance_faults_host_idx ON instance_faults (host);
CREATE INDEX instance_faults_instance_uuid_deleted_created_at_idx ON instance_faults (instance_uuid, deleted, created_at);

CREATE TABLE services (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  host VARCHAR(255), "binary" VARCHAR(255), topic VARCHAR(255), report_count INTEGER NOT NULL,
  disabled BOOLEAN, deleted INTEGER, disabled_reason VARCHAR(255), last_seen_up TIMESTAMP, forced_down BOOLEAN,
  version INTEGER, uuid VARCHAR(36),
  CONSTRAINT uniq_services0host0topic0deleted UNIQUE (host, topic, deleted),
  CONSTRAINT uniq_services0host0binary0deleted UNIQUE (host, "binary", deleted)
);
CREATE UNIQUE INDEX services_uuid_idx ON services (uuid);

CREATE TABLE compute_nodes (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  service_id INTEGER, vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL, local_gb INTEGER NOT NULL,
  vcpus_used INTEGER NOT NULL, memory_mb_used INTEGER NOT NULL, local_gb_used INTEGER NOT NULL,
  hypervisor_type TEXT NOT NULL, hypervisor_version INTEGER NOT NULL, cpu_info TEXT NOT NULL,
  disk_available_least INTEGER, free_ram_mb INTEGER, free_disk_gb INTEGER, current_workload INTEGER, running_vms INTEGER,
  hypervisor_hostname VARCHAR(255), deleted INTEGER, host_ip INET,
  supported_instances TEXT, pci_stats TEXT, metrics TEXT, extra_resources TEXT, stats TEXT, numa_topology TEXT,
  host VARCHAR(255), ram_allocation_ratio DOUBLE PRECISION, cpu_allocation_ratio DOUBLE PRECISION, uuid VARCHAR(36),
  disk_allocation_ratio DOUBLE PRECISION, mapped INTEGER,
  CONSTRAINT uniq_compute_nodes0host0hypervisor_hostname0deleted UNIQUE (host, hypervisor_hostname, deleted)
);
CREATE UNIQUE INDEX compute_nodes_uuid_idx ON compute_nodes (uuid);

CREATE TABLE instance_actions (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  action VARCHAR(255), instance_uuid VARCHAR(36), request_id VARCHAR(255), user_id VARCHAR(255), project_id VARCHAR(255),
  start_time TIMESTAMP, finish_time TIMESTAMP, message VARCHAR(255), deleted INTEGER,
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX request_id_idx ON instance_actions (request_id);
CREATE INDEX instance_actions_instance_uuid_updated_at_idx ON instance_actions (instance_uuid, updated_at);
CREATE INDEX instance_uuid_idx ON instance_actions (instance_uuid);

CREATE TABLE instance_actions_events (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  event VARCHAR(255), action_id INTEGER, start_time TIMESTAMP, finish_time TIMESTAMP, result VARCHAR(255),
  traceback TEXT, deleted INTEGER, host VARCHAR(255), details TEXT,
  FOREIGN KEY (action_id) REFERENCES instance_actions (id)
);

CREATE TABLE instance_id_mappings (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  uuid VARCHAR(36) NOT NULL, deleted INTEGER
);
CREATE INDEX ix_instance_id_mappings_uuid ON instance_id_mappings (uuid);

CREATE TABLE virtual_interfaces (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  address VARCHAR(255), network_id INTEGER, uuid VARCHAR(36), instance_uuid VARCHAR(36), deleted INTEGER, tag VARCHAR(255),
  CONSTRAINT uniq_virtual_interfaces0address0deleted UNIQUE (address, deleted),
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE INDEX virtual_interfaces_network_id_idx ON virtual_interfaces (network_id);
CREATE INDEX virtual_interfaces_uuid_idx ON virtual_interfaces (uuid);
CREATE INDEX virtual_interfaces_instance_uuid_fkey ON virtual_interfaces (instance_uuid);

CREATE TABLE migrations (
  created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP,
  id SERIAL PRIMARY KEY,
  source_compute VARCHAR(255), dest_compute VARCHAR(255), dest_host VARCHAR(255), status VARCHAR(255),
  instance_uuid VARCHAR(36), old_instance_type_id INTEGER, new_instance_type_id INTEGER,
  source_node VARCHAR(255), dest_node VARCHAR(255), deleted INTEGER,
  migration_type migration_type, hidden BOOLEAN,
  memory_total BIGINT, memory_processed BIGINT, memory_remaining BIGINT,
  disk_total BIGINT, disk_processed BIGINT, disk_remaining BIGINT,
  uuid VARCHAR(36), cross_cell_move BOOLEAN, user_id VARCHAR(255), project_id VARCHAR(255), dest_compute_id BIGINT,
  FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
);
CREATE UNIQUE INDEX migrations_uuid ON migrations (uuid);
CREATE INDEX migrations_updated_at_idx ON migrations (updated_at);
CREATE INDEX migrations_instance_uuid_and_status_idx ON migrations (deleted, instance_uuid, status);
CREATE INDEX migrations_by_host_nodes_and_status_idx ON migrations (deleted, source_compute, dest_compute, source_node, dest_node, status);
CREATE INDEX migrations_dest_compute_id_deleted_idx ON migrations (dest_compute_id, deleted);
CREATE INDEX migrations_by_dest_host_nodes_and_status_idx ON migrations (deleted, dest_compute, dest_node, status);
CREATE INDEX migrations_by_src_host_nodes_and_status_idx ON migrations (deleted, source_compute, source_node, status);

-- Where `nova-manage db archive_deleted_rows` moves rows to: the same columns, the primary key, no other key.

CREATE TABLE shadow_instances (LIKE instances, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instances_id_seq AS INTEGER OWNED BY shadow_instances.id;
ALTER TABLE shadow_instances ALTER COLUMN id SET DEFAULT nextval('shadow_instances_id_seq');
CREATE TABLE shadow_instance_extra (LIKE instance_extra, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_extra_id_seq AS INTEGER OWNED BY shadow_instance_extra.id;
ALTER TABLE shadow_instance_extra ALTER COLUMN id SET DEFAULT nextval('shadow_instance_extra_id_seq');
CREATE TABLE shadow_instance_info_caches (LIKE instance_info_caches, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_info_caches_id_seq AS INTEGER OWNED BY shadow_instance_info_caches.id;
ALTER TABLE shadow_instance_info_caches ALTER COLUMN id SET DEFAULT nextval('shadow_instance_info_caches_id_seq');
CREATE TABLE shadow_instance_metadata (LIKE instance_metadata, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_metadata_id_seq AS INTEGER OWNED BY shadow_instance_metadata.id;
ALTER TABLE shadow_instance_metadata ALTER COLUMN id SET DEFAULT nextval('shadow_instance_metadata_id_seq');
CREATE TABLE shadow_instance_system_metadata (LIKE instance_system_metadata, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_system_metadata_id_seq AS INTEGER OWNED BY shadow_instance_system_metadata.id;
ALTER TABLE shadow_instance_system_metadata ALTER COLUMN id SET DEFAULT nextval('shadow_instance_system_metadata_id_seq');
CREATE TABLE shadow_block_device_mapping (LIKE block_device_mapping, PRIMARY KEY (id));
CREATE SEQUENCE shadow_block_device_mapping_id_seq AS INTEGER OWNED BY shadow_block_device_mapping.id;
ALTER TABLE shadow_block_device_mapping ALTER COLUMN id SET DEFAULT nextval('shadow_block_device_mapping_id_seq');
CREATE TABLE shadow_instance_faults (LIKE instance_faults, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_faults_id_seq AS INTEGER OWNED BY shadow_instance_faults.id;
ALTER TABLE shadow_instance_faults ALTER COLUMN id SET DEFAULT nextval('shadow_instance_faults_id_seq');
CREATE TABLE shadow_instance_actions (LIKE instance_actions, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_actions_id_seq AS INTEGER OWNED BY shadow_instance_actions.id;
ALTER TABLE shadow_instance_actions ALTER COLUMN id SET DEFAULT nextval('shadow_instance_actions_id_seq');
CREATE TABLE shadow_instance_actions_events (LIKE instance_actions_events, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_actions_events_id_seq AS INTEGER OWNED BY shadow_instance_actions_events.id;
ALTER TABLE shadow_instance_actions_events ALTER COLUMN id SET DEFAULT nextval('shadow_instance_actions_events_id_seq');
CREATE TABLE shadow_instance_id_mappings (LIKE instance_id_mappings, PRIMARY KEY (id));
CREATE SEQUENCE shadow_instance_id_mappings_id_seq AS INTEGER OWNED BY shadow_instance_id_mappings.id;
ALTER TABLE shadow_instance_id_mappings ALTER COLUMN id SET DEFAULT nextval('shadow_instance_id_mappings_id_seq');
CREATE TABLE shadow_virtual_interfaces (LIKE virtual_interfaces, PRIMARY KEY (id));
CREATE SEQUENCE shadow_virtual_interfaces_id_seq AS INTEGER OWNED BY shadow_virtual_interfaces.id;
ALTER TABLE shadow_virtual_interfaces ALTER COLUMN id SET DEFAULT nextval('shadow_virtual_interfaces_id_seq');
CREATE TABLE shadow_migrations (LIKE migrations, PRIMARY KEY (id));
CREATE SEQUENCE shadow_migrations_id_seq AS INTEGER OWNED BY shadow_migrations.id;
ALTER TABLE shadow_migrations ALTER COLUMN id SET DEFAULT nextval('shadow_migrations_id_seq');
ALTER TABLE shadow_instances ALTER COLUMN locked_by TYPE shadow_instances0locked_by
  USING locked_by::text::shadow_instances0locked_by;
