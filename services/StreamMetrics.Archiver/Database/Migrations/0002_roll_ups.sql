-- Hours and days of every series, merged from finer windows: docs/formats/postgresql.md.

CREATE SEQUENCE metric_rollups_id_seq;

CREATE TABLE metric_rollups_hourly (
    id                 bigint           NOT NULL DEFAULT nextval('metric_rollups_id_seq'),
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
    created_at         timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (id, "timestamp"),
    UNIQUE (service_id, metric_name, window_size, "timestamp", tags_hash)
) PARTITION BY RANGE ("timestamp");

CREATE TABLE metric_rollups_daily (LIKE metric_rollups_hourly INCLUDING ALL) PARTITION BY RANGE ("timestamp");

CREATE INDEX metric_rollups_hourly_time ON metric_rollups_hourly ("timestamp" DESC);
CREATE INDEX metric_rollups_daily_time ON metric_rollups_daily ("timestamp" DESC);

-- What is to be computed (again): a series in an hour or a day of which an input has changed.
CREATE TABLE rollup_work (
    tier        text        NOT NULL,
    bucket      timestamptz NOT NULL,
    service_id  text        NOT NULL,
    metric_name text        NOT NULL,
    tags_hash   text        NOT NULL,
    PRIMARY KEY (tier, bucket, service_id, metric_name, tags_hash)
);

-- Before which instant rows of a table have been dropped: what was made of them is not computed again from what is left.
CREATE TABLE retention_progress (
    table_name     text        PRIMARY KEY,
    dropped_before timestamptz NOT NULL
);

INSERT INTO rollup_work (tier, bucket, service_id, metric_name, tags_hash)
SELECT DISTINCT 'hourly', date_trunc('hour', "timestamp", 'UTC'), service_id, metric_name, tags_hash FROM metric_aggregates WHERE window_size = '15m';
