"""Bytes of files that are lost or changed behind the server's back: `parley check` says which, and mends what it can."""

import ctypes.util
import os

import pytest

from harness.pictures import png
from harness.server import run_cli
from harness.waiting import until


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def ada(server, tenant_at):
    return tenant_at(server, name="acme").user("ada")


def upload(client, data):
    return client.call("POST", client.target("media", "upload", filename="x"), data,
                       {"Content-Type": "application/octet-stream"}, expect=201).json  # fmt: skip


def path_of(server, identity, ending=""):
    return server.data / "media" / "objects" / identity[-2:] / (identity + ending)


def check(server, *arguments):
    done = run_cli("check", "--data", server.data, *arguments, SEARCH_PORT=server.ports["search"])
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode()


@pytest.mark.smoke
def test_where_all_is_well_a_check_beside_the_server_and_after_it_says_so(server, ada):
    files = [upload(ada, bytes([n]) * 100_000) for n in range(5)]
    ada.post("media", "upload", "chunk", body={"filename": "later", "size": 100}, expect=201)
    assert len(files) == 5
    code, text = check(server, "--deep")
    assert code == 0 and "media: 5 files, 0 deleted, 1 uploads under way" in text, text
    assert "500000 bytes, all of them read" in text
    server.kill()
    assert check(server, "--deep")[0] == 0, "after a kill, too"


def test_a_file_whose_object_is_lost_is_named_and_cannot_be_mended(server, ada):
    lost, kept = upload(ada, b"lost"), upload(ada, b"kept")
    path_of(server, lost["id"]).unlink()
    code, text = check(server)
    assert code == 1 and f"problem: media, tenant acme, file {lost['id']}: its object is missing (4 bytes)" in text, text
    assert kept["id"] not in text
    server.stop()
    code, text = check(server, "--repair")
    assert code == 1 and f"file {lost['id']}: its object is missing" in text and "cannot be mended here" in text, text
    path_of(server, lost["id"]).write_bytes(b"lost")
    assert check(server, "--deep")[0] == 0, "brought back"


def test_an_object_that_was_cut_or_changed_is_named(server, ada):
    cut, changed = upload(ada, b"0123456789"), upload(ada, b"0123456789")
    os.truncate(path_of(server, cut["id"]), 4)
    path_of(server, changed["id"]).write_bytes(b"0123456780")
    code, text = check(server)
    assert code == 1 and f"file {cut['id']}: its object has 4 bytes, not 10" in text
    assert changed["id"] not in text, "its size is right"
    code, text = check(server, "--deep")
    assert code == 1 and f"file {changed['id']}: its object is not what was stored" in text, text


def test_an_upload_that_lost_its_bytes_is_named(server, ada):
    begun = ada.post("media", "upload", "chunk", body={"filename": "x", "size": 10}, expect=201).json
    ada.call("POST", ada.target("media", "upload", "chunk", begun["upload_id"], index=0), b"0123456789",
             {"Content-Type": "application/octet-stream", "Content-Length": "10"})  # fmt: skip
    assert check(server)[0] == 0
    path_of(server, begun["upload_id"], ".part").unlink()
    code, text = check(server)
    assert code == 1 and "of an upload under way, 10 bytes were on disk and 0 are" in text, text


@pytest.mark.skipif(ctypes.util.find_library("vips") is None, reason="libvips is not installed (libvips42)")
def test_a_thumbnail_that_is_lost_is_forgotten(server, ada):
    cat = upload(ada, png(600, 600))
    medium = path_of(server, cat["id"], ".medium")
    until("it has thumbnails", medium.exists, 60)
    until("they are known", lambda: server.metrics("gateway")['parley_media_thumbnails_total{outcome="made"}'] == 1)
    medium.unlink()
    code, text = check(server)
    assert code == 1 and "of its thumbnails (small, medium) there are only: small" in text, text
    server.stop()
    code, text = check(server, "--repair")
    assert code == 0 and "1 files no longer name thumbnails that are missing" in text, text
    assert check(server)[0] == 0


def test_what_a_killed_server_had_half_taken_is_swept_by_the_next(server, ada):
    """An upload of one request that a crash cut leaves a row and bytes; the next server forgets both, at once."""
    left = server.data / "left"
    connection = ada_begins(ada)
    rows = until("its bytes arrive", lambda: [p for p in (server.data / "media" / "objects").rglob("*.part") if p.stat().st_size])
    server.kill()
    connection.close()
    assert all(path.exists() for path in rows) and not left.exists()
    server.start()
    until("they are gone", lambda: not any(path.exists() for path in rows))
    until("and counted", lambda: server.metrics("gateway")['parley_media_swept_total{what="interrupted_uploads"}'] == 1)
    assert check(server)[0] == 0


def ada_begins(client):
    """Half of an upload, on a connection that is left open."""
    import http.client

    connection = http.client.HTTPConnection(*client.origin, timeout=30)
    connection.putrequest("POST", client.target("media", "upload", filename="half"))
    connection.putheader("Authorization", f"Bearer {client.token}")
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Content-Length", "10000000")
    connection.endheaders(bytes(5_000_000))
    return connection


def backup(server, target):
    done = run_cli("backup", "--data", server.data, target)
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done


def test_a_backup_beside_a_running_server_has_the_files_and_is_well(server, ada, tmp_path):
    cat = upload(ada, png(600, 600))
    files = [cat, upload(ada, b""), upload(ada, b"x" * 3_000_000)]
    ada.post("media", "upload", "chunk", body={"filename": "later", "size": 100}, expect=201)
    if ctypes.util.find_library("vips") is not None:
        until("they are known", lambda: server.metrics("gateway")['parley_media_thumbnails_total{outcome="made"}'] == 1)
    done = backup(server, tmp_path / "copy")
    assert done.returncode == 0 and b"3 files" in done.stdout, (done.stdout, done.stderr)
    checked = run_cli("check", "--data", tmp_path / "copy", "--deep")
    assert checked.returncode == 0 and b"media: 3 files, 0 deleted, 0 uploads" in checked.stdout, checked.stdout
    for file in files:
        copy = tmp_path / "copy" / "media" / "objects" / file["id"][-2:] / file["id"]
        assert copy.read_bytes() == path_of(server, file["id"]).read_bytes()
    again = backup(server, tmp_path / "copy")
    assert again.returncode == 1 and b"a folder of its own" in again.stderr


def test_a_backup_names_the_files_that_it_cannot_copy_and_takes_the_others(server, ada, tmp_path):
    lost, changed, kept = upload(ada, b"lost"), upload(ada, b"0123456789"), upload(ada, b"kept")
    path_of(server, lost["id"]).unlink()
    path_of(server, changed["id"]).write_bytes(b"0123456780")
    done = backup(server, tmp_path / "copy")
    assert done.returncode == 1 and b"1 files, 4 bytes" in done.stdout, done.stdout
    assert f"file {lost['id']}" in done.stderr.decode() and f"file {changed['id']}: its object is not what" in done.stderr.decode()
    assert (tmp_path / "copy" / "media" / "objects" / kept["id"][-2:] / kept["id"]).read_bytes() == b"kept"
