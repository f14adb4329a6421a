"""Downloads that S3 itself sends: the client is sent there, and gets the same bytes under the same name."""

import subprocess
import urllib.parse

import pytest

from harness.files import download, sha256, some_bytes, upload
from harness.s3 import ENDPOINT, Bucket
from harness.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.skipif(not ENDPOINT, reason="PARLEY_TEST_S3_ENDPOINT is not set")]


@pytest.fixture
def server(start_server):
    bucket = Bucket()
    yield start_server(S3_PRESIGNED_SECONDS=2, **bucket.settings())
    bucket.remove()


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--noproxy", "*", *arguments], capture_output=True, check=True, timeout=60).stdout


def test_the_bytes_come_from_s3(server, storage_at, tmp_path):
    ada = storage_at(server).user("ada")
    data = some_bytes(300_000)
    file = upload(ada, data, 'a "b" ü.png', expect=201).json["id"]
    answer = ada.get("download", file, expect=307)
    place = answer.headers["Location"]
    assert urllib.parse.urlsplit(place).netloc == urllib.parse.urlsplit(ENDPOINT).netloc
    url = f"{server.url('gateway')}/v1/media/download/{file}"
    token = f"Authorization: Bearer {ada.token}"
    head = tmp_path / "head"
    assert curl("-L", "-D", head, "-H", token, url) == data
    last = head.read_bytes().decode().lower().split("\r\n\r\n")[-2]
    assert "content-disposition: attachment" in last and "filename*=utf-8''a%20%22b%22%20%c3%bc.png" in last
    assert curl("-L", "-r", "100-199", "-H", token, url) == data[100:200]
    assert ada.get("download", file, headers={"If-None-Match": f'"{sha256(data)}"'}).status == 304
    gone = until("it is good no more", lambda: (b := curl("-w", "%{http_code}", place))[-3:] != b"200" and b, 30)
    assert gone[-3:] == b"403", gone


def test_who_may_not_read_it_is_sent_nowhere(server, storage_at):
    place = storage_at(server)
    file = upload(place.user("ada"), some_bytes(300_000), "a.bin", expect=201).json["id"]
    assert place.user("bob").get("download", file).status == 404
    data = some_bytes(1000)
    small = upload(place.user("ada"), data, "s.bin", expect=201).json["id"]
    assert download(place.user("ada"), small) == data, "what is small comes from here"
