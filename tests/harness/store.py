"""Looks into messaging's store, read-only, beside a server or after it."""

import contextlib
import pathlib
import sqlite3


def store_files(data):
    return [path for path in (pathlib.Path(data) / "messaging").iterdir()
            if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]  # fmt: skip


@contextlib.contextmanager
def open_store(data):
    (path,) = [p for p in store_files(data) if tables_of(p) >= {"messages", "event_log"}]
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def tables_of(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()


def check_events(data):
    """One event for each message, event numbers dense in each scope, ids never twice; returns how many messages."""
    with open_store(data) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (messages,) = store.execute("SELECT count(*) FROM messages").fetchone()
        (created,) = store.execute("SELECT count(*) FROM event_log WHERE type = 'message.created'").fetchone()
        assert created == messages, f"{messages} messages and {created} events of their creation"
        (subjects,) = store.execute(
            "SELECT count(DISTINCT tenant || char(0) || key || char(0) || subject) FROM event_log WHERE type = 'message.created'"
        ).fetchone()
        assert subjects == messages, "an event for each"
        (ids, events) = store.execute("SELECT count(DISTINCT id), count(*) FROM event_log").fetchone()
        assert ids == events
        gaps = store.execute(
            "SELECT tenant, key, min(number), max(number), count(*) FROM event_log GROUP BY tenant, scope, key "
            "HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*)"
        ).fetchall()
        assert not gaps, gaps
        return messages
