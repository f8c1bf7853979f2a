-- SPDX-License-Identifier: Apache-2.0
-- The tables of Nova's API database that Treetop mirrors, on PostgreSQL: every column, key and foreign key of Nova 34, in Nova's order.
-- The tests compare this with what `nova-manage api_db sync` makes.

CREATE TYPE keypair_types AS ENUM ('ssh', 'x509');

CREATE TABLE flavors (
  created_at TIMESTAMP, updated_at TIMESTAMP, name VARCHAR(255) NOT NULL, id SERIAL PRIMARY KEY,
  memory_mb INTEGER NOT NULL, vcpus INTEGER NOT NULL, swap INTEGER NOT NULL, vcpu_weight INTEGER,
  flavorid VARCHAR(255) NOT NULL, rxtx_factor DOUBLE PRECISION, root_gb INTEGER, ephemeral_gb INTEGER,
  disabled BOOLEAN, is_public BOOLEAN, description TEXT,
  CONSTRAINT uniq_flavors0flavorid UNIQUE (flavorid),
  CONSTRAINT uniq_flavors0name UNIQUE (name)
);

CREATE TABLE flavor_extra_specs (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, flavor_id INTEGER NOT NULL,
  key VARCHAR(255) NOT NULL, value VARCHAR(255),
  CONSTRAINT uniq_flavor_extra_specs0flavor_id0key UNIQUE (flavor_id, key),
  FOREIGN KEY (flavor_id) REFERENCES flavors (id)
);
CREATE INDEX flavor_extra_specs_flavor_id_key_idx ON flavor_extra_specs (flavor_id, key);

CREATE TABLE flavor_projects (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, flavor_id INTEGER NOT NULL,
  project_id VARCHAR(255) NOT NULL,
  CONSTRAINT uniq_flavor_projects0flavor_id0project_id UNIQUE (flavor_id, project_id),
  FOREIGN KEY (flavor_id) REFERENCES flavors (id)
);

CREATE TABLE aggregates (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, uuid VARCHAR(36), name VARCHAR(255),
  CONSTRAINT uniq_aggregate0name UNIQUE (name)
);
CREATE INDEX aggregate_uuid_idx ON aggregates (uuid);

CREATE TABLE aggregate_hosts (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, host VARCHAR(255), aggregate_id INTEGER NOT NULL,
  CONSTRAINT uniq_aggregate_hosts0host0aggregate_id UNIQUE (host, aggregate_id),
  FOREIGN KEY (aggregate_id) REFERENCES aggregates (id)
);

CREATE TABLE aggregate_metadata (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, aggregate_id INTEGER NOT NULL,
  key VARCHAR(255) NOT NULL, value VARCHAR(255) NOT NULL,
  CONSTRAINT uniq_aggregate_metadata0aggregate_id0key UNIQUE (aggregate_id, key),
  FOREIGN KEY (aggregate_id) REFERENCES aggregates (id)
);
CREATE INDEX aggregate_metadata_key_idx ON aggregate_metadata (key);

CREATE TABLE cell_mappings (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, uuid VARCHAR(36) NOT NULL, name VARCHAR(255),
  transport_url TEXT, database_connection TEXT, disabled BOOLEAN,
  CONSTRAINT uniq_cell_mappings0uuid UNIQUE (uuid)
);
CREATE INDEX uuid_idx ON cell_mappings (uuid);

CREATE TABLE host_mappings (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, cell_id INTEGER NOT NULL,
  host VARCHAR(255) NOT NULL,
  CONSTRAINT uniq_host_mappings0host UNIQUE (host),
  FOREIGN KEY (cell_id) REFERENCES cell_mappings (id)
);
CREATE INDEX host_idx ON host_mappings (host);

CREATE TABLE instance_mappings (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, instance_uuid VARCHAR(36) NOT NULL,
  cell_id INTEGER, project_id VARCHAR(255) NOT NULL, queued_for_delete BOOLEAN, user_id VARCHAR(255),
  CONSTRAINT uniq_instance_mappings0instance_uuid UNIQUE (instance_uuid),
  FOREIGN KEY (cell_id) REFERENCES cell_mappings (id)
);
CREATE INDEX instance_mappings_user_id_project_id_idx ON instance_mappings (user_id, project_id);
CREATE INDEX instance_uuid_idx ON instance_mappings (instance_uuid);
CREATE INDEX project_id_idx ON instance_mappings (project_id);

CREATE TABLE request_specs (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, instance_uuid VARCHAR(36) NOT NULL,
  spec TEXT NOT NULL,
  CONSTRAINT uniq_request_specs0instance_uuid UNIQUE (instance_uuid)
);
CREATE INDEX request_spec_instance_uuid_idx ON request_specs (instance_uuid);

CREATE TABLE build_requests (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, project_id VARCHAR(255) NOT NULL,
  instance_uuid VARCHAR(36), instance TEXT, block_device_mappings TEXT, tags TEXT,
  CONSTRAINT uniq_build_requests0instance_uuid UNIQUE (instance_uuid)
);
CREATE INDEX build_requests_project_id_idx ON build_requests (project_id);
CREATE INDEX build_requests_instance_uuid_idx ON build_requests (instance_uuid);

CREATE TABLE instance_groups (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, user_id VARCHAR(255), project_id VARCHAR(255),
  uuid VARCHAR(36) NOT NULL, name VARCHAR(255),
  CONSTRAINT uniq_instance_groups0uuid UNIQUE (uuid)
);

CREATE TABLE instance_group_policy (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, policy VARCHAR(255), group_id INTEGER NOT NULL,
  rules TEXT,
  FOREIGN KEY (group_id) REFERENCES instance_groups (id)
);
CREATE INDEX instance_group_policy_policy_idx ON instance_group_policy (policy);

CREATE TABLE instance_group_member (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, instance_uuid VARCHAR(255),
  group_id INTEGER NOT NULL,
  FOREIGN KEY (group_id) REFERENCES instance_groups (id)
);
CREATE INDEX instance_group_member_instance_idx ON instance_group_member (instance_uuid);

CREATE TABLE key_pairs (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL,
  user_id VARCHAR(255) NOT NULL, fingerprint VARCHAR(255), public_key TEXT, type keypair_types NOT NULL DEFAULT 'ssh',
  CONSTRAINT uniq_key_pairs0user_id0name UNIQUE (user_id, name)
);

CREATE TABLE quotas (
  id SERIAL PRIMARY KEY, created_at TIMESTAMP, updated_at TIMESTAMP, project_id VARCHAR(255),
  resource VARCHAR(255) NOT NULL, hard_limit INTEGER,
  CONSTRAINT uniq_quotas0project_id0resource UNIQUE (project_id, resource)
);

CREATE TABLE quota_classes (
  created_at TIMESTAMP, updated_at TIMESTAMP, id SERIAL PRIMARY KEY, class_name VARCHAR(255), resource VARCHAR(255),
  hard_limit INTEGER
);
CREATE INDEX quota_classes_class_name_idx ON quota_classes (class_name);

CREATE TABLE project_user_quotas (
  id SERIAL PRIMARY KEY, created_at TIMESTAMP, updated_at TIMESTAMP, user_id VARCHAR(255) NOT NULL,
  project_id VARCHAR(255) NOT NULL, resource VARCHAR(255) NOT NULL, hard_limit INTEGER,
  CONSTRAINT uniq_project_user_quotas0user_id0project_id0resource UNIQUE (user_id, project_id, resource)
);
CREATE INDEX project_user_quotas_user_id_idx ON project_user_quotas (user_id);
CREATE INDEX project_user_quotas_project_id_idx ON project_user_quotas (project_id);
