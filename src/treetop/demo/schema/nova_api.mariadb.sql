-- SPDX-License-Identifier: Apache-2.0
-- The tables of Nova's API database that Treetop mirrors, on MariaDB: every column, key and foreign key of Nova 34, in Nova's order.
-- The tests compare this with what `nova-manage api_db sync` makes. Statements end with a semicolon at the end of a line.

SET NAMES utf8mb4;

CREATE TABLE flavors (
  created_at DATETIME, updated_at DATETIME, name VARCHAR(255) NOT NULL, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  memory_mb INT NOT NULL, vcpus INT NOT NULL, swap INT NOT NULL, vcpu_weight INT, flavorid VARCHAR(255) NOT NULL,
  rxtx_factor FLOAT, root_gb INT, ephemeral_gb INT, disabled BOOLEAN, is_public BOOLEAN, description TEXT,
  UNIQUE KEY uniq_flavors0flavorid (flavorid),
  UNIQUE KEY uniq_flavors0name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE flavor_extra_specs (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, flavor_id INT NOT NULL,
  `key` VARCHAR(255) NOT NULL, value VARCHAR(255),
  UNIQUE KEY uniq_flavor_extra_specs0flavor_id0key (flavor_id, `key`),
  KEY flavor_extra_specs_flavor_id_key_idx (flavor_id, `key`),
  FOREIGN KEY (flavor_id) REFERENCES flavors (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE flavor_projects (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, flavor_id INT NOT NULL,
  project_id VARCHAR(255) NOT NULL,
  UNIQUE KEY uniq_flavor_projects0flavor_id0project_id (flavor_id, project_id),
  FOREIGN KEY (flavor_id) REFERENCES flavors (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE aggregates (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid VARCHAR(36),
  name VARCHAR(255),
  UNIQUE KEY uniq_aggregate0name (name),
  KEY aggregate_uuid_idx (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE aggregate_hosts (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, host VARCHAR(255),
  aggregate_id INT NOT NULL,
  UNIQUE KEY uniq_aggregate_hosts0host0aggregate_id (host, aggregate_id),
  FOREIGN KEY (aggregate_id) REFERENCES aggregates (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE aggregate_metadata (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, aggregate_id INT NOT NULL,
  `key` VARCHAR(255) NOT NULL, value VARCHAR(255) NOT NULL,
  UNIQUE KEY uniq_aggregate_metadata0aggregate_id0key (aggregate_id, `key`),
  KEY aggregate_metadata_key_idx (`key`),
  FOREIGN KEY (aggregate_id) REFERENCES aggregates (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE cell_mappings (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid VARCHAR(36) NOT NULL,
  name VARCHAR(255), transport_url TEXT, database_connection TEXT, disabled BOOLEAN,
  UNIQUE KEY uniq_cell_mappings0uuid (uuid),
  KEY uuid_idx (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE host_mappings (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, cell_id INT NOT NULL,
  host VARCHAR(255) NOT NULL,
  UNIQUE KEY uniq_host_mappings0host (host),
  KEY host_idx (host),
  FOREIGN KEY (cell_id) REFERENCES cell_mappings (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_mappings (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_uuid VARCHAR(36) NOT NULL, cell_id INT, project_id VARCHAR(255) NOT NULL, queued_for_delete BOOLEAN,
  user_id VARCHAR(255),
  UNIQUE KEY uniq_instance_mappings0instance_uuid (instance_uuid),
  KEY instance_mappings_user_id_project_id_idx (user_id, project_id),
  KEY instance_uuid_idx (instance_uuid),
  KEY project_id_idx (project_id),
  FOREIGN KEY (cell_id) REFERENCES cell_mappings (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE request_specs (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  instance_uuid VARCHAR(36) NOT NULL, spec MEDIUMTEXT NOT NULL,
  UNIQUE KEY uniq_request_specs0instance_uuid (instance_uuid),
  KEY request_spec_instance_uuid_idx (instance_uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE build_requests (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  project_id VARCHAR(255) NOT NULL, instance_uuid VARCHAR(36), instance MEDIUMTEXT, block_device_mappings MEDIUMTEXT,
  tags TEXT,
  UNIQUE KEY uniq_build_requests0instance_uuid (instance_uuid),
  KEY build_requests_project_id_idx (project_id),
  KEY build_requests_instance_uuid_idx (instance_uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_groups (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id VARCHAR(255),
  project_id VARCHAR(255), uuid VARCHAR(36) NOT NULL, name VARCHAR(255),
  UNIQUE KEY uniq_instance_groups0uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_group_policy (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, policy VARCHAR(255),
  group_id INT NOT NULL, rules TEXT,
  KEY instance_group_policy_policy_idx (policy),
  FOREIGN KEY (group_id) REFERENCES instance_groups (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE instance_group_member (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, instance_uuid VARCHAR(255),
  group_id INT NOT NULL,
  KEY instance_group_member_instance_idx (instance_uuid),
  FOREIGN KEY (group_id) REFERENCES instance_groups (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE key_pairs (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL,
  user_id VARCHAR(255) NOT NULL, fingerprint VARCHAR(255), public_key TEXT,
  type ENUM('ssh','x509') NOT NULL DEFAULT 'ssh',
  UNIQUE KEY uniq_key_pairs0user_id0name (user_id, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE quotas (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, created_at DATETIME, updated_at DATETIME, project_id VARCHAR(255),
  resource VARCHAR(255) NOT NULL, hard_limit INT,
  UNIQUE KEY uniq_quotas0project_id0resource (project_id, resource)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE quota_classes (
  created_at DATETIME, updated_at DATETIME, id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, class_name VARCHAR(255),
  resource VARCHAR(255), hard_limit INT,
  KEY quota_classes_class_name_idx (class_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE project_user_quotas (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, created_at DATETIME, updated_at DATETIME, user_id VARCHAR(255) NOT NULL,
  project_id VARCHAR(255) NOT NULL, resource VARCHAR(255) NOT NULL, hard_limit INT,
  UNIQUE KEY uniq_project_user_quotas0user_id0project_id0resource (user_id, project_id, resource),
  KEY project_user_quotas_user_id_idx (user_id),
  KEY project_user_quotas_project_id_idx (project_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;
