-- What the lists of services, hypervisors and usage ask of the mirrored tables, said once. Views only, and an index on
-- each server partition: made while nothing else writes them, about 1 s for a million servers.

-- The order in which Nova goes through cells: by their ids in the region's cell_mappings. A zone is the cell whose name
-- it has (as `treetop zone discover` makes one of the other: small letters, what a zone's name cannot hold is a dash,
-- perhaps the region's name in front). Zones of no known cell come last, by name; regions by name.
CREATE VIEW cell_place AS
SELECT zone.id AS zone_id,
       row_number() OVER (ORDER BY zone.region, min(mapping.id) NULLS LAST, zone.name) AS place
  FROM zone
  LEFT JOIN (
      SELECT region.region, cell.id,
             CASE WHEN cell.uuid = '00000000-0000-0000-0000-000000000000' THEN 'cell0'
                  ELSE trim(BOTH '-_' FROM regexp_replace(lower(cell.name), '[^a-z0-9_]+', '-', 'g'))
             END AS name
        FROM zone AS region
        JOIN nova_cell_mappings AS cell ON cell.zone_id = region.id
       WHERE region.kind = 'api'
  ) AS mapping
    ON mapping.region = zone.region
   AND (zone.name = mapping.name OR right(zone.name, length(mapping.name) + 1) = '-' || mapping.name)
 WHERE zone.kind = 'cell'
 GROUP BY zone.id;

-- Which availability zone a region's aggregates put a host in; several, separated by commas, where they do not agree.
CREATE VIEW host_availability_zone AS
SELECT region.region, hosts.host, string_agg(DISTINCT metadata.value, ',' ORDER BY metadata.value) AS name
  FROM zone AS region
  JOIN nova_aggregate_hosts AS hosts ON hosts.zone_id = region.id
  JOIN nova_aggregate_metadata AS metadata
    ON metadata.zone_id = hosts.zone_id AND metadata.aggregate_id = hosts.aggregate_id
 WHERE region.kind = 'api'
   AND metadata.key = 'availability_zone'
 GROUP BY region.region, hosts.host;

-- Services that are not deleted, and how long each had been silent when its zone's newest heartbeat came: a zone that is
-- read late, or whose clock is wrong, is judged by itself.
CREATE VIEW live_service AS
SELECT services.*,
       extract(epoch FROM max(coalesce(last_seen_up, created_at)) OVER (PARTITION BY zone_id)
                          - coalesce(last_seen_up, created_at)) AS silent_seconds
  FROM nova_services AS services
 WHERE deleted = 0;

-- A project's servers, deleted ones too, in the order of usage reports. Neither column is ever updated.
CREATE INDEX server_owner ON server (project_id, uuid);
