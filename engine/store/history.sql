-- What has happened, for looking at: everybody's log lines and synchronous invocations. Losing this file loses no event.
-- Both come in chunks, one for each time that something was written: a row for every line would cost more than the
-- invocation it tells of.

CREATE TABLE line_chunk (
  first INTEGER PRIMARY KEY,  -- number of its first line
  last  INTEGER NOT NULL,
  lines TEXT NOT NULL,        -- JSON: [[number, at, function, request id, attempt, kind, text, stream] …]
  at    REAL NOT NULL DEFAULT 0         -- engine time of its last line
) STRICT;

CREATE TABLE invocation_chunk (
  number      INTEGER PRIMARY KEY,
  ids         TEXT NOT NULL,  -- request ids, and callers' ids behind a "<"; in front: a search reads nothing else
  invocations TEXT NOT NULL,  -- JSON: [{…} …]
  at          REAL NOT NULL DEFAULT 0   -- engine time at which the last of them ended
) STRICT;
