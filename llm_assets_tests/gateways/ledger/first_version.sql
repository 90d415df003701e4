BEGIN TRANSACTION;
CREATE TABLE calls (
    id INTEGER NOT NULL,
    call_key TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    task TEXT NOT NULL,
    batch TEXT NOT NULL,
    run_id TEXT NOT NULL,
    work_id TEXT NOT NULL,
    row_id TEXT NOT NULL,
    group_context_id TEXT,
    prompt_sha256 TEXT NOT NULL,
    schema_sha256 TEXT NOT NULL,
    settings_sha256 TEXT NOT NULL,
    purpose TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    latency_seconds FLOAT NOT NULL,
    text TEXT,
    refusal TEXT,
    finish_reason TEXT,
    answering_model TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cached_tokens INTEGER,
    reasoning_tokens INTEGER,
    is_approximate BOOLEAN,
    cost_usd TEXT,
    cost_picousd BIGINT,
    answered_at TEXT,
    request_id TEXT,
    fault_kind TEXT,
    http_status INTEGER,
    fault_message TEXT,
    PRIMARY KEY (id)
);
INSERT INTO "calls" VALUES(1,'56d5e451a85dfe6cbcdb0ddbbec118fcff5d1ff391018c56e60b6650c051d158','2026-11-20T12:00:00+00:00','triage','march','run-1','w1','r1',NULL,'p','s','c','generate',1,'offline','extractive',0.5,'fine',NULL,'stop','model-of-the-server',10,5,0,0,0,'0.01',10000000000,'2026-11-20T12:00:00+00:00','req-1',NULL,NULL,NULL);
INSERT INTO "calls" VALUES(2,'836b445072bb0f2589a70c1893468e70f01b81e34a9baa533370ae9d7a58d813','2026-11-20T12:00:00+00:00','triage','march','run-1','w1','r1',NULL,'p','s','c','generate',1,'offline','extractive',0.5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'server_error',500,'It broke.');
CREATE TABLE epochs (
    call_key TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (call_key)
);
INSERT INTO "epochs" VALUES('56d5e451a85dfe6cbcdb0ddbbec118fcff5d1ff391018c56e60b6650c051d158',1);
CREATE TABLE ledger_format (
    version INTEGER NOT NULL,
    PRIMARY KEY (version)
);
INSERT INTO "ledger_format" VALUES(1);
CREATE TABLE parts (
    sha256 TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (sha256)
);
INSERT INTO "parts" VALUES('927c84a77fd2c5856b26adeab788078c32d4c5cd07f398f071ab2726412466da','{"endpoint":"http://offline.invalid/v1","model":"extractive","parameters":{},"response_format":null}');
INSERT INTO "parts" VALUES('26dc5e5265eddbbce41e20d3fc0c594a8f2053f4e2ef1109a2327339a51f458d','Where is it?');
INSERT INTO "parts" VALUES('855edf3db035fbf9b8c015cc2ef40bec7b481533336b914e1b6a34a0e8f450a5','Too late?');
CREATE TABLE requests (
    call_key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (call_key)
);
INSERT INTO "requests" VALUES('56d5e451a85dfe6cbcdb0ddbbec118fcff5d1ff391018c56e60b6650c051d158','{"attempt":1,"epoch":0,"max_output_tokens":null,"messages":[["user",["26dc5e5265eddbbce41e20d3fc0c594a8f2053f4e2ef1109a2327339a51f458d"]]],"occurrence":0,"settings":"927c84a77fd2c5856b26adeab788078c32d4c5cd07f398f071ab2726412466da"}');
INSERT INTO "requests" VALUES('836b445072bb0f2589a70c1893468e70f01b81e34a9baa533370ae9d7a58d813','{"attempt":1,"epoch":0,"max_output_tokens":null,"messages":[["user",["855edf3db035fbf9b8c015cc2ef40bec7b481533336b914e1b6a34a0e8f450a5"]]],"occurrence":0,"settings":"927c84a77fd2c5856b26adeab788078c32d4c5cd07f398f071ab2726412466da"}');
CREATE TABLE reservations (
    run_id TEXT NOT NULL,
    cost_picousd BIGINT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (run_id)
);
CREATE INDEX calls_by_key ON calls (call_key);
CREATE INDEX calls_by_time ON calls (recorded_at);
CREATE INDEX calls_by_task ON calls (task, batch);
CREATE INDEX calls_by_item ON calls (task, work_id);
COMMIT;
