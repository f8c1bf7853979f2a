-- Lists that ask for deleted servers as well (changes-since, deleted=true) read their page or project from an index,
-- too: the two that lists have had hold live servers only.
--
-- server_project leads to all of a project's servers, the live ones in the order of the default list. server_newest
-- has every server in that order; server_created, which it does not replace, spares the usual list the deleted ones.
-- Neither has a column that an update changes. Locks `server` while they are built, some seconds per million rows.

DROP INDEX server_project;
CREATE INDEX server_project ON server (project_id, deleted, created_at DESC NULLS LAST, uuid);
CREATE INDEX server_newest ON server (created_at DESC NULLS LAST, uuid);
