-- A server group by its uuid, and its policy. Locks the two tables for milliseconds: a region has thousands of rows.
CREATE INDEX nova_instance_groups_uuid ON nova_instance_groups (uuid);
CREATE INDEX nova_instance_group_policy_group ON nova_instance_group_policy (zone_id, group_id);
