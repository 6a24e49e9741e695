-- What has happened, for looking at: synchronous invocations and everybody's log lines. Losing this file loses no event.

CREATE TABLE invocation (
  id            TEXT PRIMARY KEY,  -- request id
  function      TEXT NOT NULL,
  source        TEXT NOT NULL,
  accepted_at   REAL NOT NULL,
  payload       BLOB NOT NULL,     -- of the request, cut at 256 KiB
  ended         TEXT NOT NULL,
  result        BLOB NOT NULL,     -- cut at 256 KiB
  error_type    TEXT,
  error_message TEXT,
  started_at    REAL NOT NULL,
  ended_at      REAL NOT NULL,
  duration      REAL NOT NULL,
  init_duration REAL,
  memory_used   INTEGER NOT NULL,
  environment   TEXT NOT NULL,
  version       INTEGER NOT NULL,
  first_line    INTEGER NOT NULL,
  last_line     INTEGER NOT NULL
) STRICT;

CREATE TABLE line (
  number     INTEGER PRIMARY KEY,
  at         REAL NOT NULL,
  function   TEXT NOT NULL,
  request_id TEXT NOT NULL,
  attempt    INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  text       TEXT NOT NULL
) STRICT;
