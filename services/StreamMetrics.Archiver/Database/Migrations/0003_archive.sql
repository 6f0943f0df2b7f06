-- Partitions that were restored from the archive, and how long retention leaves them alone: docs/formats/archive.md.
CREATE TABLE restored_partitions (
    partition  text        PRIMARY KEY,
    keep_until timestamptz NOT NULL
);
