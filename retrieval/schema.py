"""The tables, as the steps that made them: a data folder of any earlier version is brought to the last."""

MIGRATIONS = [
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE collections (
        name TEXT PRIMARY KEY, created TEXT NOT NULL
    );
    CREATE TABLE documents (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL REFERENCES collections(name) ON DELETE CASCADE,
        id TEXT NOT NULL, title TEXT NOT NULL, uri TEXT, media_type TEXT NOT NULL, content TEXT NOT NULL,
        metadata TEXT NOT NULL, digest TEXT NOT NULL, created TEXT NOT NULL,
        UNIQUE (collection, id)
    );
    CREATE TABLE passages (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        section TEXT, page INTEGER, sentences TEXT NOT NULL,
        vector BLOB NOT NULL, sentence_vectors BLOB NOT NULL,
        UNIQUE (document, ordinal)
    );
    """,
    # Documents are staged, live or dead, so that a version replaces another in one step and can be prepared before.
    # What a search scores lies apart from what it shows. Vectors are made again, with the words beside them.
    """
    CREATE TABLE new_documents (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL REFERENCES collections(name) ON DELETE CASCADE,
        id TEXT NOT NULL, title TEXT NOT NULL, uri TEXT, media_type TEXT NOT NULL, content TEXT NOT NULL,
        metadata TEXT NOT NULL, digest TEXT NOT NULL, created TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('staged', 'live', 'dead')),
        passages INTEGER NOT NULL, characters INTEGER NOT NULL, pages INTEGER, bytes INTEGER
    );
    CREATE TABLE new_passages (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        document INTEGER NOT NULL REFERENCES new_documents(key) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        section TEXT, page INTEGER, header TEXT, sentences TEXT NOT NULL, text TEXT NOT NULL,
        UNIQUE (document, ordinal)
    );
    INSERT INTO new_documents
        SELECT key, collection, id, title, uri, media_type, content, metadata, digest, created, 'live',
               (SELECT count(*) FROM passages p WHERE p.document = d.key), length(content), NULL, NULL
        FROM documents d;
    INSERT INTO new_passages
        SELECT p.key, document, ordinal, start, "end", section, page, NULL, sentences,
               substr(content, start + 1, "end" - start)
        FROM passages p JOIN documents d ON d.key = p.document;
    DROP TABLE passages;
    DROP TABLE documents;
    ALTER TABLE new_documents RENAME TO documents;
    ALTER TABLE new_passages RENAME TO passages;
    CREATE UNIQUE INDEX live_documents ON documents (collection, id) WHERE state = 'live';
    CREATE INDEX documents_by_state ON documents (state, collection) WHERE state != 'live';
    CREATE TABLE vectors (
        passage INTEGER PRIMARY KEY REFERENCES passages(key) ON DELETE CASCADE,
        dense BLOB NOT NULL, sentences BLOB NOT NULL, words BLOB NOT NULL, stems TEXT NOT NULL
    );
    CREATE TABLE originals (
        document INTEGER PRIMARY KEY REFERENCES documents(key) ON DELETE CASCADE, data BLOB NOT NULL
    );
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, collection TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL,
        cancelled INTEGER NOT NULL DEFAULT 0, idempotency_key TEXT UNIQUE, fingerprint TEXT
    );
    CREATE TABLE submissions (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
        document_id TEXT NOT NULL, name TEXT, title TEXT, metadata TEXT NOT NULL, data BLOB,
        is_text INTEGER NOT NULL, explicit_id INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'staged', 'ready', 'failed', 'cancelled')),
        document INTEGER REFERENCES documents(key) ON DELETE SET NULL,
        error_code TEXT, error_message TEXT
    );
    CREATE INDEX submissions_by_job ON submissions (job, state);
    CREATE INDEX submissions_by_document ON submissions (document_id);
    CREATE INDEX submissions_of_documents ON submissions (document);
    CREATE TABLE job_events (
        job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, seq INTEGER NOT NULL,
        timestamp TEXT NOT NULL, payload TEXT NOT NULL,
        PRIMARY KEY (job, seq)
    ) WITHOUT ROWID;
    CREATE TABLE calibrations (
        collection TEXT PRIMARY KEY REFERENCES collections(name) ON DELETE CASCADE,
        slope REAL NOT NULL, offset REAL NOT NULL, report TEXT NOT NULL, created TEXT NOT NULL
    );
    """,
    # Questions that wait for a person, and what was decided. `item` is what the queue shows.
    """
    CREATE TABLE reviews (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        request_id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'decided', 'released')),
        created TEXT NOT NULL, told TEXT NOT NULL, item TEXT NOT NULL, drafted INTEGER NOT NULL,
        decision TEXT, answer TEXT, note TEXT, decided TEXT, final TEXT
    );
    CREATE INDEX reviews_by_state ON reviews (state, key);
    """,
    # Conversations. Their turns are in the checkpoints; this is what a list of them shows.
    """
    CREATE TABLE threads (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        thread_id TEXT NOT NULL UNIQUE, owner TEXT, title TEXT,
        created TEXT NOT NULL, updated TEXT NOT NULL,
        turns INTEGER NOT NULL DEFAULT 0, collection TEXT
    );
    CREATE INDEX threads_by_use ON threads (owner, updated, key);
    """,
]
