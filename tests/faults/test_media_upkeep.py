"""Files' bytes and what is known of them: `parley check` tells where the two differ, and --repair mends what can be."""

import os
import sqlite3
import time
import uuid

from harness.server import run_cli



def objects(server):
    return server.data / "media" / "objects"


def orphan(server, text=b"nobody's", ending=".part", age=7200):
    """An object that no file and no upload knows."""
    name = str(uuid.uuid4())
    path = objects(server) / name[-2:] / (name + ending)
    path.write_bytes(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def check(server, *arguments):
    done = run_cli("check", "--data", server.data, *arguments)
    text = done.stdout.decode()
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done.returncode, text


def media_server(start_server):
    return start_server(["media"])


def test_an_object_that_belongs_to_nobody_is_named_and_removed_once_no_server_runs(start_server):
    server = media_server(start_server)
    path, sealed, young = orphan(server), orphan(server, ending=""), orphan(server, age=0)
    code, text = check(server)
    assert code == 1 and text.endswith("not ok\n")
    for one in (path, sealed):
        assert f"problem: media, object {one.name.removesuffix('.part')} (8 bytes" in text
    assert young.name.removesuffix(".part") not in text, "it may be of an upload that is just beginning"
    assert "--repair" in text

    code, text = check(server, "--repair")
    assert code == 1 and "a server runs on this folder" in text, text
    assert path.exists() and sealed.exists()

    server.stop()
    code, text = check(server, "--repair")
    assert code == 0 and "3 objects that belonged to nobody are removed" in text, text
    assert not path.exists() and not sealed.exists() and not young.exists()
    assert check(server) == (0, text[text.rindex("media: 0 files") :])


def test_files_of_others_in_the_folder_are_left_alone(start_server):
    server = media_server(start_server)
    server.stop()
    note = objects(server) / "00" / "README"
    note.write_text("not ours")
    assert check(server, "--repair")[0] == 0
    assert note.exists()


def test_quotas_that_are_miscounted_are_mended(start_server):
    server = media_server(start_server)
    server.stop()
    with sqlite3.connect(server.data / "media" / "media.db") as db:
        db.execute("INSERT INTO user_usage VALUES('acme', 'ann', 5, 6, 7, 8, 0)")
    code, text = check(server)
    assert code == 1 and "problem: media, a user's quota is miscounted: tenant acme, user ann" in text, text
    code, text = check(server, "--repair")
    assert code == 0 and "mended: media, " in text, text
    assert check(server)[0] == 0


def test_where_most_objects_belong_to_nobody_nothing_is_removed(start_server):
    server = media_server(start_server)
    server.stop()
    paths = [orphan(server) for _ in range(101)]
    code, text = check(server, "--repair")
    assert code == 1 and "is this the right media.db" in text, text
    assert all(path.exists() for path in paths)


def test_a_store_without_its_folder_of_objects_is_not_well(start_server):
    server = media_server(start_server)
    server.stop()
    objects(server).rename(server.data / "elsewhere")
    done = run_cli("check", "--data", server.data)
    assert done.returncode == 1 and b"there is no folder" in done.stderr, done
    assert not objects(server).exists(), "a check makes nothing"


def test_a_check_of_a_folder_with_nothing_in_it_says_so(tmp_path):
    done = run_cli("check", "--data", tmp_path)
    assert done.returncode == 1 and b"there is no messaging store" in done.stderr
