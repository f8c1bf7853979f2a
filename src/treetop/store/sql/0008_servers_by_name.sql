-- Lists in the order of names (the usual one of dashboards' tables) read their page from an index: it took a look at
-- every server. The order is `store.server_order`'s: in any case, by code point, NULL first.
--
-- Names rarely change. Locks `server` while it is built, some seconds per million rows.

CREATE INDEX server_name ON server (lower(display_name) COLLATE "C" NULLS FIRST, uuid) WHERE NOT deleted;
