-- The cold store: docs/formats/postgresql.md describes every column.

CREATE SEQUENCE metric_aggregates_id_seq;

-- One row per (scope, series, window, start); scope is in tags_hash: the empty hash is the total's.
CREATE TABLE metric_aggregates (
    id                 bigint           NOT NULL DEFAULT nextval('metric_aggregates_id_seq'),
    "timestamp"        timestamptz      NOT NULL,
    service_id         text             NOT NULL,
    metric_name        text             NOT NULL,
    window_size        text             NOT NULL,
    scope              text             NOT NULL,
    metric_type        text             NOT NULL,
    unit               text             NOT NULL,
    tags               jsonb            NOT NULL,
    tags_hash          text             NOT NULL,
    count              bigint           NOT NULL,
    sum                double precision NOT NULL,
    avg                double precision NOT NULL,
    min                double precision NOT NULL,
    max                double precision NOT NULL,
    p50                double precision NOT NULL,
    p95                double precision NOT NULL,
    p99                double precision NOT NULL,
    errors             bigint           NOT NULL,
    last               double precision NOT NULL,
    last_time          timestamptz      NOT NULL,
    exemplar           jsonb,
    catalog            jsonb,
    late               bigint           NOT NULL,
    revision           bigint           NOT NULL,
    max_relative_error double precision NOT NULL,
    sketch             bytea            NOT NULL,
    applied            jsonb            NOT NULL,
    created_at         timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (id, "timestamp"),
    UNIQUE (service_id, metric_name, window_size, "timestamp", tags_hash)
) PARTITION BY RANGE ("timestamp");

ALTER SEQUENCE metric_aggregates_id_seq OWNED BY metric_aggregates.id;

-- "What did this service do lately?" and "what happened then, everywhere?"
CREATE INDEX metric_aggregates_service_time ON metric_aggregates (service_id, metric_name, "timestamp" DESC);
CREATE INDEX metric_aggregates_window_time ON metric_aggregates (window_size, "timestamp" DESC);

-- How far each partition of a topic has been applied. Changed only together with the rows.
CREATE TABLE sink_offsets (
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    next_offset bigint      NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

-- Records of the aggregate topics that are no aggregates: kept as they were, with the reason.
CREATE TABLE sink_rejects (
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    "offset"    bigint      NOT NULL,
    reason      text        NOT NULL,
    key         bytea,
    value       bytea,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sink_rejects_created ON sink_rejects (created_at);
