"""(e) Files: downloads beside nginx with sendfile, straight and through a gateway; uploads by tus beside tusd."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from dataclasses import dataclass

import peers
from figures import Series, Table, at_least, at_most, note_if_wrk_was_full
from load import CONNECTIONS, run_wrk
from parley_server import Parley
from servers import OPENER, free_port

TUSD = "github.com/tus/tusd/v2/cmd/tusd@v2.9.1"
GIB = 1024**3
BIG = GIB
SMALL = 4096
SMALL_FILES = 500
UPLOAD = 512 * 1024**2


@dataclass
class Transfer:
    """One file, there or back."""
    size: int
    seconds: float
    cpu_seconds: float  # of the servers

    @property
    def mib_per_second(self):
        return self.size / 1024**2 / self.seconds

    @property
    def cpu_per_gib(self):
        return self.cpu_seconds * GIB / self.size


def measure(servers, plan, say):
    files = make_files(servers.work / "files")
    data = servers.work / "media-data"
    media, gateway = Parley(servers, plan.binary, data), Parley(servers, plan.binary, data)
    token = media.token("u1")
    no_limits = {"MAX_UPLOADS_PER_USER": "0", "MAX_FILE_SIZE_MB": "5120", "THUMBNAILS": "off"}
    media.start("parley-media", roles=("media",), **no_limits)
    nobody = media.url("media")  # messaging is asked for nothing here, but a gateway wants to know where it is
    gateway.start("parley-media-gateway", roles=("gateway",), MEDIA_SERVICE_URL=media.url("media"),
                  MESSAGING_SERVICE_URL=nobody, **no_limits)
    nginx, nginx_port = start_file_server(servers, files)
    proxy, proxy_port = start_proxy(servers, nginx_port)
    big = upload(media, token, files / "big")
    small = [upload(media, token, files / f"small-{n}") for n in range(SMALL_FILES)]
    share(data, {"big": big, **{f"small-{n}": one for n, one in enumerate(small)}}, files)
    tables = [
        measure_big(plan, say, token, {
            "Parley, media": ([media.server], f"{media.url('media')}/download/{big}"),
            "nginx, sendfile": ([nginx], f"http://127.0.0.1:{nginx_port}/big"),
            "Parley, gateway and media": ([gateway.server, media.server], f"{gateway.url()}/v1/media/download/{big}"),
            "nginx, proxy_pass to nginx": ([proxy, nginx], f"http://127.0.0.1:{proxy_port}/big"),
        }),
        measure_small(servers, plan, say, token, (media, small), (nginx, nginx_port)),
        measure_uploads(servers, plan, say, token, media, files / "upload"),
    ]
    return tables


def make_files(folder):
    """Random bytes, so that nothing is saved by holes; on disk before anything is measured."""
    folder.mkdir(parents=True)
    sizes = {"big": BIG, "upload": UPLOAD, **{f"small-{n}": SMALL for n in range(SMALL_FILES)}}
    for name, size in sizes.items():
        with open(folder / name, "wb") as file:
            left = size
            while left:
                left -= file.write(os.urandom(min(left, 1 << 20)))
    subprocess.run(["sync", "-f", folder], check=True)
    return folder


def share(data, ids, files):
    """nginx serves the very files that Parley stored. How a file was written decides how its pages lie in memory, and that
    was worth a third of nginx's rate."""
    for name, one in ids.items():
        stored = data / "media" / "objects" / one[-2:] / one
        stored.chmod(0o644)
        (files / name).unlink()
        os.link(stored, files / name)


def start_file_server(servers, files):
    port = free_port()
    server = f"server {{ listen 127.0.0.1:{port} backlog=4096; root {files}; }}"
    configuration = fill_in(servers, "nginx-files", server)
    started = servers.start("nginx-files", peers.nginx_command(configuration, servers.work))
    servers.wait_until_answers(started, f"http://127.0.0.1:{port}/small-0")
    return started, port


def start_proxy(servers, upstream):
    port = free_port()
    server = (f"upstream files {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 100000000; }} "
              f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://files; "
              'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Request-ID $request_id; } }')
    configuration = fill_in(servers, "nginx-proxy", server)
    started = servers.start("nginx-proxy", peers.nginx_command(configuration, servers.work))
    servers.wait_until_answers(started, f"http://127.0.0.1:{port}/small-0")
    return started, port


def fill_in(servers, name, server):
    made = peers.fill_in("files.conf", servers.work, NAME=name, SERVER=server)
    return made.rename(servers.work / f"{name}.conf")


def upload(parley, token, path):
    """The id of the file."""
    run = curl("-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/octet-stream", "-H", "Expect:",
               "-X", "POST", "-T", path, f"{parley.url('media')}/upload?filename={path.name}")
    return json.loads(run)["id"]


def curl(*arguments):
    """What it answered; raises on any status of 400 and above."""
    run = subprocess.run(["curl", "-sS", "--fail-with-body", "--noproxy", "*", *[str(one) for one in arguments]],
                         capture_output=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"curl failed: {run.stdout[-500:]!r} {run.stderr[-500:]!r}")
    return run.stdout


def timed(servers, size, work):
    before, began = sum(server.cpu_seconds() for server in servers), time.monotonic()
    work()
    seconds = time.monotonic() - began
    return Transfer(size, seconds, sum(server.cpu_seconds() for server in servers) - before)


def run_rounds(plan, say, what, transfers):
    """`transfers`: by name, what makes one Transfer."""
    series = {name: Series(name) for name in transfers}
    for number in range(plan.rounds + 1):
        for name, transfer in transfers.items():
            one = transfer()
            if number:  # the first only warms up
                series[name].rounds.append(one)
            say(f"round {number}/{plan.rounds}  {what}  {name:<28}{one.mib_per_second:>8.0f} MiB/s  "
                f"{one.cpu_per_gib:5.2f} CPU-s/GiB")
    return series


def measure_big(plan, say, token, sources):
    def download(servers, url):
        return lambda: timed(servers, BIG, lambda: curl("-H", f"Authorization: Bearer {token}", "-o", "/dev/null", url))

    series = run_rounds(plan, say, "download", {name: download(*source) for name, source in sources.items()})
    media, nginx, gateway, proxy = series.values()
    table = Table(
        "Download of 1 GiB",
        f"One file of 1 GiB in the page cache, the same file for all, by curl over one connection, {plan.rounds} rounds in turn after a warm-up; "
        "medians, and ratios taken round by round. CPU is user and system time of all processes between file and client. "
        "Ours verify the token and the right to read, and keep metrics and an access log, as nginx does. Through the "
        "gateway, gateway and media are two processes that speak HTTP, as nginx and the nginx before it.",
        ["", "MiB/s", "CPU-s per GiB", "MiB/s ÷ nginx", "CPU ÷ nginx"],
        [[one.name, f"{one.median_of('mib_per_second'):,.0f}", f"{one.median_of('cpu_per_gib'):.2f}",
          f"{one.ratio_to(peer, 'mib_per_second'):.2f}", f"{one.ratio_to(peer, 'cpu_per_gib'):.2f}"]
         for one, peer in ((media, nginx), (nginx, nginx), (gateway, proxy), (proxy, proxy))])
    table.targets = [
        at_least("files: download of 1 GiB, bytes/s ÷ nginx", 0.9, media.ratio_to(nginx, "mib_per_second")),
        at_most("files: download of 1 GiB, CPU per GiB ÷ nginx", 1 / 0.9, media.ratio_to(nginx, "cpu_per_gib")),
        at_least("files: the same through the gateway, bytes/s ÷ nginx proxy_pass", 0.9,
                 gateway.ratio_to(proxy, "mib_per_second")),
        at_most("files: the same through the gateway, CPU per GiB ÷ nginx proxy_pass", 1 / 0.9,
                gateway.ratio_to(proxy, "cpu_per_gib")),
    ]
    return table


def measure_small(servers, plan, say, token, ours, theirs):
    (media, ids), (nginx, nginx_port) = ours, theirs
    paths = {"Parley, media": [f"/download/{one}" for one in ids],
             "nginx, sendfile": [f"/small-{n}" for n in range(SMALL_FILES)]}
    started = {"Parley, media": (media.server, media.url("media")),
               "nginx, sendfile": (nginx, f"http://127.0.0.1:{nginx_port}")}
    series = {name: Series(name) for name in started}
    for number in range(plan.rounds + 1):
        for name, (server, url) in started.items():
            listed = servers.work / f"{server.name}-paths"
            listed.write_text("\n".join(paths[name]) + "\n", encoding="ascii")
            one = run_wrk(server, url, plan.seconds if number else 1, token, "read.lua", [listed], plan.wrk_threads)
            if one.refused:
                raise RuntimeError(f"{name} refused {one.refused} of {one.requests} requests")
            if number:
                series[name].rounds.append(one)
            say(f"round {number}/{plan.rounds}  4 KiB  {name:<20}{one.per_second:>8.0f} requests/s")
    own, peer = series.values()
    table = Table(
        "Small files",
        f"{SMALL_FILES} files of 4 KiB in turn, {CONNECTIONS} connections, {plan.rounds} rounds of {plan.seconds} s in turn "
        "after a warm-up.",
        ["", "requests/s", "CPU-s per 10k", "p50 ms", "p99 ms", "requests/s ÷ nginx"],
        [[one.name, f"{one.median_of('per_second'):,.0f}", f"{one.median_of('cpu_per_10k'):.2f}",
          f"{one.median_of('p50_ms'):.2f}", f"{one.median_of('p99_ms'):.2f}", f"{one.ratio_to(peer, 'per_second'):.2f}"]
         for one in (own, peer)])
    table.targets = [at_least("files: of 4 KiB, requests/s ÷ nginx", 0.7, own.ratio_to(peer, "per_second"))]
    note_if_wrk_was_full(table, [one for each in series.values() for one in each.rounds])
    return table


def install_tusd(build):
    """From the Go module proxy, into BUILD/tusd; again only when another version is wanted."""
    folder = build / "tusd" / TUSD.rsplit("@", 1)[1]
    if not (folder / "tusd").exists():
        go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
        if go is None:
            return None
        subprocess.run([go, "install", TUSD], env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}, check=True)
    return folder / "tusd"


def measure_uploads(servers, plan, say, token, media, path):
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    transfers = {"Parley": lambda: timed([media.server], UPLOAD, lambda: send_by_tus(f"{media.url('media')}/tus", path, headers))}
    binary = install_tusd(plan.build)
    if binary:
        folder, port = servers.work / "tusd", free_port()
        folder.mkdir()
        tusd = servers.start("tusd", [binary, "-host", "127.0.0.1", "-port", port, "-upload-dir", folder,
                                      "-disable-download", "-log-format", "json"], log=servers.work / "tusd.log")
        url = f"http://127.0.0.1:{port}/files/"
        servers.wait_until_answers(tusd, f"http://127.0.0.1:{port}/metrics")

        def send(durably):
            made = send_by_tus(url, path, headers)
            if durably:  # what our answer means
                subprocess.run(["sync", folder / made, folder], check=True)

        transfers["tusd"] = lambda: timed([tusd], UPLOAD, lambda: send(False))
        transfers["tusd, then sync"] = lambda: timed([tusd], UPLOAD, lambda: send(True))
    series = run_rounds(plan, say, "upload", transfers)
    own, peer = series["Parley"], series.get("tusd")
    table = Table(
        "Upload of 512 MiB by tus",
        f"POST, then one PATCH of 512 MiB by curl, {plan.rounds} rounds in turn after a warm-up; what was sent stays on both sides (memory "
        "that a removed file has just given back is cheaper than new one). Ours computes the SHA-256 "
        "and answers when the file is on disk (fsync of it and of its folder) and its row is committed; tusd does neither, "
        "so beside it stands the same with the file synced by hand before the clock stops (its SHA-256 is still not made).",
        ["", "MiB/s", "CPU-s per GiB", *(["MiB/s ÷ tusd"] if peer else [])],
        [[one.name, f"{one.median_of('mib_per_second'):,.0f}", f"{one.median_of('cpu_per_gib'):.2f}",
          *([f"{one.ratio_to(peer, 'mib_per_second'):.2f}"] if peer else [])] for one in series.values()])
    if peer:
        table.targets = [at_least("files: upload by tus, bytes/s ÷ tusd", 1, own.ratio_to(peer, "mib_per_second"))]
    else:
        table.notes.append("There is no Go here to build tusd with, so ours stands alone.")
    return table


def send_by_tus(url, path, headers):
    """The last segment of the address that the upload was given."""
    request = urllib.request.Request(url, method="POST", headers={**headers, "Upload-Length": str(path.stat().st_size)})
    with OPENER.open(request, timeout=10) as answer:
        location = answer.headers["Location"]
    made = location.rstrip("/").rsplit("/", 1)[1]
    curl("-H", f"Authorization: {headers['Authorization']}", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0", "-H",
         "Content-Type: application/offset+octet-stream", "-H", "Expect:", "-X", "PATCH", "-T", path,
         f"{url.rstrip('/')}/{made}")
    return made
