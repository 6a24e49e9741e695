-- The queue: what was accepted and what became of it. One transaction per step writes here, and nobody else.
-- Times are engine time, in seconds since the epoch.

CREATE TABLE event (
  seq           INTEGER PRIMARY KEY,   -- order of acceptance
  id            TEXT NOT NULL UNIQUE,  -- request id
  function      TEXT NOT NULL,
  qualifier     TEXT NOT NULL,
  payload       BLOB NOT NULL,
  source        TEXT NOT NULL,
  accepted_at   REAL NOT NULL,
  state         TEXT NOT NULL,         -- queued, running, succeeded, discarded
  reason        TEXT NOT NULL,         -- why it was last put in the queue
  due_at        REAL NOT NULL,
  attempts      INTEGER NOT NULL,
  errors        INTEGER NOT NULL,
  throttles     INTEGER NOT NULL,
  losses        INTEGER NOT NULL,
  begun_at      REAL,
  condition     TEXT,
  ended_at      REAL,
  error         TEXT,
  redriven_from TEXT,
  redriven_as   TEXT,
  dropped       INTEGER NOT NULL,
  trace_id      TEXT NOT NULL DEFAULT '',
  caller        TEXT NOT NULL DEFAULT ''  -- request id of the invocation that sent it, or ""
) STRICT;

-- Partial: an event that has ended costs these indexes nothing.
CREATE INDEX event_due ON event (due_at, function) WHERE state = 'queued';
CREATE INDEX event_next ON event (function, due_at, seq) WHERE state = 'queued';
CREATE INDEX event_waiting ON event (due_at) WHERE state = 'queued' AND reason != 'retry';
CREATE INDEX event_retry ON event (due_at) WHERE state = 'queued' AND reason = 'retry';
CREATE INDEX event_running ON event (seq) WHERE state = 'running';
CREATE INDEX event_dropped ON event (ended_at) WHERE dropped = 1 AND redriven_as IS NULL;
CREATE INDEX event_caller ON event (caller) WHERE caller != '';

CREATE TABLE attempt (
  event         INTEGER NOT NULL REFERENCES event (seq),
  number        INTEGER NOT NULL,      -- from 1
  ended         TEXT NOT NULL,         -- how: returned, function error, lost …
  payload       BLOB NOT NULL,         -- result, or AWS's error object
  error_type    TEXT,
  error_message TEXT,
  started_at    REAL NOT NULL,
  ended_at      REAL NOT NULL,
  duration      REAL NOT NULL,         -- seconds of the handler's own time
  init_duration REAL,
  memory_used   INTEGER NOT NULL,      -- MB
  environment   TEXT NOT NULL,
  version       INTEGER NOT NULL,
  first_line    INTEGER NOT NULL,      -- its log lines in the history file
  last_line     INTEGER NOT NULL,
  waited        REAL NOT NULL DEFAULT 0,  -- seconds of `duration` spent waiting for other functions
  injected      TEXT NOT NULL DEFAULT '', -- the armed fault that hit it: "timeout (fault 2)"
  PRIMARY KEY (event, number)
) STRICT, WITHOUT ROWID;

-- The outbox: what ended events owe to dead-letter queues and destinations.
CREATE TABLE delivery (
  id         INTEGER PRIMARY KEY,
  event      INTEGER NOT NULL REFERENCES event (seq),
  request_id TEXT NOT NULL,
  kind       TEXT NOT NULL,
  target     TEXT NOT NULL,
  body       BLOB NOT NULL,
  attributes TEXT NOT NULL,            -- JSON object
  due_at     REAL NOT NULL,
  tries      INTEGER NOT NULL,
  error      TEXT
) STRICT;
CREATE INDEX delivery_due ON delivery (due_at);
CREATE INDEX delivery_event ON delivery (event);

CREATE TABLE message (
  id         TEXT PRIMARY KEY,
  queue      TEXT NOT NULL,
  body       BLOB NOT NULL,
  attributes TEXT NOT NULL,            -- JSON object
  sent_at    REAL NOT NULL,
  request_id TEXT NOT NULL
) STRICT;
CREATE INDEX message_sent ON message (queue, sent_at);
CREATE INDEX message_request ON message (request_id);

-- Dead letters that were purged a moment ago.
CREATE TABLE tombstone (
  id         TEXT PRIMARY KEY,  -- the message's, or "dropped:" and the event's request id
  purge      TEXT NOT NULL,     -- the purge that it went with
  until      REAL NOT NULL,     -- engine time up to which it can be brought back
  queue      TEXT,              -- the message as it was; NULL for a dropped event
  body       BLOB,
  attributes TEXT,
  sent_at    REAL,
  request_id TEXT NOT NULL
) STRICT;
CREATE INDEX tombstone_request ON tombstone (request_id);

-- How many ended events of each function are no longer kept, by the state they ended in.
CREATE TABLE pruned (
  function TEXT NOT NULL,
  state    TEXT NOT NULL,
  events   INTEGER NOT NULL,
  PRIMARY KEY (function, state)
) STRICT, WITHOUT ROWID;

-- One row: the last engine time, so that time goes on after a restart.
CREATE TABLE engine (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  time     REAL NOT NULL
) STRICT;
INSERT INTO engine VALUES (1, 0);
