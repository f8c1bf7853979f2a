-- Nova keeps every migration until it is archived: a page of them is read from an index. None of these columns is ever
-- updated. Locks nova_migrations while they are built, some seconds per million rows.

CREATE INDEX nova_migrations_newest ON nova_migrations (created_at DESC NULLS LAST, id DESC);
CREATE INDEX nova_migrations_project ON nova_migrations (project_id, created_at DESC NULLS LAST, id DESC);
CREATE INDEX nova_migrations_uuid ON nova_migrations (uuid);
