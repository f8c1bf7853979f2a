-- SPDX-License-Identifier: Apache-2.0
-- The tables of a Nova cell that servers live in, on MariaDB: every column, key and foreign key of Nova 34, in Nova's order.
-- The tests compare this with what `nova-manage db sync` makes. Statements end with a semicolon at the end of a line.

SET NAMES utf8mb4;

CREATE TABLE instances (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  internal_id INT, user_id VARCHAR(255), project_id VARCHAR(255),
  image_ref VARCHAR(255), kernel_id VARCHAR(255), ramdisk_id VARCHAR(255), launch_index INT,
  key_name VARCHAR(255), key_data MEDIUMTEXT,
  power_state INT, vm_state VARCHAR(255), memory_mb INT, vcpus INT,
  hostname VARCHAR(255), host VARCHAR(255), user_data MEDIUMTEXT, reservation_id VARCHAR(255),
  launched_at DATETIME, terminated_at DATETIME,
  display_name VARCHAR(255), display_description VARCHAR(255), availability_zone VARCHAR(255),
  locked BOOLEAN, os_type VARCHAR(255), launched_on MEDIUMTEXT, instance_type_id INT, vm_mode VARCHAR(255),
  uuid VARCHAR(36) NOT NULL,
  architecture VARCHAR(255), root_device_name VARCHAR(255), access_ip_v4 VARCHAR(39), access_ip_v6 VARCHAR(39),
  config_drive VARCHAR(255), task_state VARCHAR(255),
  default_ephemeral_device VARCHAR(255), default_swap_device VARCHAR(255), progress INT,
  auto_disk_config BOOLEAN, shutdown_terminate BOOLEAN, disable_terminate BOOLEAN,
  root_gb INT, ephemeral_gb INT, cell_name VARCHAR(255), node VARCHAR(255), deleted INT,
  locked_by ENUM('owner','admin'), cleaned INT, ephemeral_key_uuid VARCHAR(36), hidden BOOLEAN, compute_id BIGINT,
  UNIQUE KEY uniq_instances0uuid (uuid),
  KEY instances_host_node_deleted_idx (host, node, deleted),
  KEY instances_host_deleted_cleaned_idx (host, deleted, cleaned),
  KEY instances_project_id_deleted_idx (project_id, deleted),
  KEY instances_deleted_created_at_idx (deleted, created_at),
  KEY instances_reservation_id_idx (reservation_id),
  KEY instances_task_state_updated_at_idx (task_state, updated_at),
  KEY instances_project_id_idx (project_id),
  KEY instances_updated_at_project_id_idx (updated_at, project_id),
  KEY instances_uuid_deleted_idx (uuid, deleted),
  KEY instances_terminated_at_launched_at_idx (terminated_at, launched_at),
  KEY instances_compute_id_deleted_idx (compute_id, deleted)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_extra (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME, deleted INT,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_uuid VARCHAR(36) NOT NULL,
  numa_topology TEXT, pci_requests TEXT, flavor TEXT, vcpu_model TEXT, migration_context TEXT, keypairs TEXT,
  device_metadata TEXT, trusted_certs TEXT, vpmems TEXT, resources TEXT,
  KEY instance_extra_idx (instance_uuid),
  CONSTRAINT instance_extra_instance_uuid_fkey FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_info_caches (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  network_info MEDIUMTEXT, instance_uuid VARCHAR(36) NOT NULL, deleted INT,
  UNIQUE KEY uniq_instance_info_caches0instance_uuid (instance_uuid),
  CONSTRAINT instance_info_caches_instance_uuid_fkey FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_metadata (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `key` VARCHAR(255), value VARCHAR(255), instance_uuid VARCHAR(36), deleted INT,
  KEY instance_metadata_instance_uuid_idx (instance_uuid),
  CONSTRAINT instance_metadata_instance_uuid_fkey FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_system_metadata (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_uuid VARCHAR(36) NOT NULL, `key` VARCHAR(255) NOT NULL, value VARCHAR(255), deleted INT,
  KEY instance_uuid (instance_uuid),
  CONSTRAINT instance_system_metadata_ibfk_1 FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE tags (
  resource_id VARCHAR(36) NOT NULL, tag VARCHAR(80) NOT NULL,
  PRIMARY KEY (resource_id, tag),
  KEY tags_tag_idx (tag)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE block_device_mapping (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  device_name VARCHAR(255), delete_on_termination BOOLEAN,
  snapshot_id VARCHAR(36), volume_id VARCHAR(36), volume_size INT, no_device BOOLEAN, connection_info MEDIUMTEXT,
  instance_uuid VARCHAR(36), deleted INT,
  source_type VARCHAR(255), destination_type VARCHAR(255), guest_format VARCHAR(255), device_type VARCHAR(255),
  disk_bus VARCHAR(255), boot_index INT, image_id VARCHAR(36), tag VARCHAR(255), attachment_id VARCHAR(36),
  uuid VARCHAR(36), volume_type VARCHAR(255), encrypted BOOLEAN, encryption_secret_uuid VARCHAR(36),
  encryption_format VARCHAR(128), encryption_options VARCHAR(4096),
  UNIQUE KEY uniq_block_device_mapping0uuid (uuid),
  KEY volume_id (volume_id),
  KEY block_device_mapping_instance_uuid_device_name_idx (instance_uuid, device_name),
  KEY snapshot_id (snapshot_id),
  KEY block_device_mapping_instance_uuid_volume_id_idx (instance_uuid, volume_id),
  KEY block_device_mapping_instance_uuid_idx (instance_uuid),
  CONSTRAINT block_device_mapping_instance_uuid_fkey FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_faults (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_uuid VARCHAR(36), code INT NOT NULL, message VARCHAR(255), details MEDIUMTEXT, host VARCHAR(255), deleted INT,
  KEY instance_faults_host_idx (host),
  KEY instance_faults_instance_uuid_deleted_created_at_idx (instance_uuid, deleted, created_at),
  CONSTRAINT fk_instance_faults_instance_uuid FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE services (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  host VARCHAR(255), `binary` VARCHAR(255), topic VARCHAR(255), report_count INT NOT NULL,
  disabled BOOLEAN, deleted INT, disabled_reason VARCHAR(255), last_seen_up DATETIME, forced_down BOOLEAN,
  version INT, uuid VARCHAR(36),
  UNIQUE KEY uniq_services0host0topic0deleted (host, topic, deleted),
  UNIQUE KEY uniq_services0host0binary0deleted (host, `binary`, deleted),
  UNIQUE KEY services_uuid_idx (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE compute_nodes (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  service_id INT, vcpus INT NOT NULL, memory_mb INT NOT NULL, local_gb INT NOT NULL,
  vcpus_used INT NOT NULL, memory_mb_used INT NOT NULL, local_gb_used INT NOT NULL,
  hypervisor_type MEDIUMTEXT NOT NULL, hypervisor_version INT NOT NULL, cpu_info MEDIUMTEXT NOT NULL,
  disk_available_least INT, free_ram_mb INT, free_disk_gb INT, current_workload INT, running_vms INT,
  hypervisor_hostname VARCHAR(255), deleted INT, host_ip VARCHAR(39),
  supported_instances TEXT, pci_stats TEXT, metrics TEXT, extra_resources TEXT, stats TEXT, numa_topology TEXT,
  host VARCHAR(255), ram_allocation_ratio FLOAT, cpu_allocation_ratio FLOAT, uuid VARCHAR(36),
  disk_allocation_ratio FLOAT, mapped INT,
  UNIQUE KEY uniq_compute_nodes0host0hypervisor_hostname0deleted (host, hypervisor_hostname, deleted),
  UNIQUE KEY compute_nodes_uuid_idx (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_actions (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  action VARCHAR(255), instance_uuid VARCHAR(36), request_id VARCHAR(255), user_id VARCHAR(255), project_id VARCHAR(255),
  start_time DATETIME, finish_time DATETIME, message VARCHAR(255), deleted INT,
  KEY request_id_idx (request_id),
  KEY instance_actions_instance_uuid_updated_at_idx (instance_uuid, updated_at),
  KEY instance_uuid_idx (instance_uuid),
  CONSTRAINT fk_instance_actions_instance_uuid FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_actions_events (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event VARCHAR(255), action_id INT, start_time DATETIME, finish_time DATETIME, result VARCHAR(255),
  traceback TEXT, deleted INT, host VARCHAR(255), details TEXT,
  KEY action_id (action_id),
  CONSTRAINT instance_actions_events_ibfk_1 FOREIGN KEY (action_id) REFERENCES instance_actions (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_id_mappings (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  uuid VARCHAR(36) NOT NULL, deleted INT,
  KEY ix_instance_id_mappings_uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE virtual_interfaces (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address VARCHAR(255), network_id INT, uuid VARCHAR(36), instance_uuid VARCHAR(36), deleted INT, tag VARCHAR(255),
  UNIQUE KEY uniq_virtual_interfaces0address0deleted (address, deleted),
  KEY virtual_interfaces_network_id_idx (network_id),
  KEY virtual_interfaces_uuid_idx (uuid),
  KEY virtual_interfaces_instance_uuid_fkey (instance_uuid),
  CONSTRAINT virtual_interfaces_instance_uuid_fkey FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE migrations (
  created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  source_compute VARCHAR(255), dest_compute VARCHAR(255), dest_host VARCHAR(255), status VARCHAR(255),
  instance_uuid VARCHAR(36), old_instance_type_id INT, new_instance_type_id INT,
  source_node VARCHAR(255), dest_node VARCHAR(255), deleted INT,
  migration_type ENUM('migration','resize','live-migration','evacuation'), hidden BOOLEAN,
  memory_total BIGINT, memory_processed BIGINT, memory_remaining BIGINT,
  disk_total BIGINT, disk_processed BIGINT, disk_remaining BIGINT,
  uuid VARCHAR(36), cross_cell_move BOOLEAN, user_id VARCHAR(255), project_id VARCHAR(255), dest_compute_id BIGINT,
  UNIQUE KEY migrations_uuid (uuid),
  KEY fk_migrations_instance_uuid (instance_uuid),
  KEY migrations_updated_at_idx (updated_at),
  KEY migrations_instance_uuid_and_status_idx (deleted, instance_uuid, status),
  KEY migrations_by_host_nodes_and_status_idx
    (deleted, source_compute(100), dest_compute(100), source_node(100), dest_node(100), status),
  KEY migrations_dest_compute_id_deleted_idx (dest_compute_id, deleted),
  KEY migrations_by_dest_host_nodes_and_status_idx (deleted, dest_compute, dest_node, status),
  KEY migrations_by_src_host_nodes_and_status_idx (deleted, source_compute, source_node, status),
  CONSTRAINT fk_migrations_instance_uuid FOREIGN KEY (instance_uuid) REFERENCES instances (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

-- Where `nova-manage db archive_deleted_rows` moves rows to: the same columns, the primary key, no other key.

CREATE TABLE shadow_instances LIKE instances;
ALTER TABLE shadow_instances
  DROP KEY uniq_instances0uuid, DROP KEY instances_host_node_deleted_idx, DROP KEY instances_host_deleted_cleaned_idx,
  DROP KEY instances_project_id_deleted_idx, DROP KEY instances_deleted_created_at_idx,
  DROP KEY instances_reservation_id_idx, DROP KEY instances_task_state_updated_at_idx,
  DROP KEY instances_project_id_idx, DROP KEY instances_updated_at_project_id_idx, DROP KEY instances_uuid_deleted_idx,
  DROP KEY instances_terminated_at_launched_at_idx, DROP KEY instances_compute_id_deleted_idx;
CREATE TABLE shadow_instance_extra LIKE instance_extra;
ALTER TABLE shadow_instance_extra DROP KEY instance_extra_idx;
CREATE TABLE shadow_instance_info_caches LIKE instance_info_caches;
ALTER TABLE shadow_instance_info_caches DROP KEY uniq_instance_info_caches0instance_uuid;
CREATE TABLE shadow_instance_metadata LIKE instance_metadata;
ALTER TABLE shadow_instance_metadata DROP KEY instance_metadata_instance_uuid_idx;
CREATE TABLE shadow_instance_system_metadata LIKE instance_system_metadata;
ALTER TABLE shadow_instance_system_metadata DROP KEY instance_uuid;
CREATE TABLE shadow_block_device_mapping LIKE block_device_mapping;
ALTER TABLE shadow_block_device_mapping
  DROP KEY uniq_block_device_mapping0uuid, DROP KEY volume_id, DROP KEY snapshot_id,
  DROP KEY block_device_mapping_instance_uuid_device_name_idx,
  DROP KEY block_device_mapping_instance_uuid_volume_id_idx, DROP KEY block_device_mapping_instance_uuid_idx;
CREATE TABLE shadow_instance_faults LIKE instance_faults;
ALTER TABLE shadow_instance_faults
  DROP KEY instance_faults_host_idx, DROP KEY instance_faults_instance_uuid_deleted_created_at_idx;
CREATE TABLE shadow_instance_actions LIKE instance_actions;
ALTER TABLE shadow_instance_actions
  DROP KEY request_id_idx, DROP KEY instance_actions_instance_uuid_updated_at_idx, DROP KEY instance_uuid_idx;
CREATE TABLE shadow_instance_actions_events LIKE instance_actions_events;
ALTER TABLE shadow_instance_actions_events DROP KEY action_id;
CREATE TABLE shadow_instance_id_mappings LIKE instance_id_mappings;
ALTER TABLE shadow_instance_id_mappings DROP KEY ix_instance_id_mappings_uuid;
CREATE TABLE shadow_virtual_interfaces LIKE virtual_interfaces;
ALTER TABLE shadow_virtual_interfaces
  DROP KEY uniq_virtual_interfaces0address0deleted, DROP KEY virtual_interfaces_network_id_idx,
  DROP KEY virtual_interfaces_uuid_idx, DROP KEY virtual_interfaces_instance_uuid_fkey;
CREATE TABLE shadow_migrations LIKE migrations;
ALTER TABLE shadow_migrations
  DROP KEY migrations_uuid, DROP KEY fk_migrations_instance_uuid, DROP KEY migrations_updated_at_idx,
  DROP KEY migrations_instance_uuid_and_status_idx, DROP KEY migrations_by_host_nodes_and_status_idx,
  DROP KEY migrations_dest_compute_id_deleted_idx, DROP KEY migrations_by_dest_host_nodes_and_status_idx,
  DROP KEY migrations_by_src_host_nodes_and_status_idx;
