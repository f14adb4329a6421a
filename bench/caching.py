"""(f) Searches that the gateway's cache answers, beside what the gateway proxies to an upstream that costs nothing."""

import http.client
import time
from urllib.parse import urlencode

import peers
from figures import Series, Table, at_least, note_if_wrk_was_full
from load import CONNECTIONS, run_wrk
from parley_server import Parley
from proxying import PATH

USER = "reader"
MESSAGES = 200
QUERIES = 40
ASKED_AGAIN = 40
PLAIN, ONE_HIT = "proxied, 1,024 bytes", "cached search, 1 hit"
LONG, PAGE = "proxied, as long as 20 hits", "cached search, 20 hits"


def measure(servers, plan, say):
    parley = Parley(servers, plan.binary, servers.work / "cache-data")
    token = parley.token(USER)
    server = parley.start("parley-cache", RATE_LIMIT_SEARCHES_PER_MINUTE="0")
    position = write_messages(parley, token)
    files, sizes = {}, {}
    for name, limit in ((ONE_HIT, 1), (PAGE, 20)):
        paths = [f"/v1/search/messages?{urlencode({'q': f'number{number}', 'limit': limit})}" for number in range(QUERIES)]
        files[name] = servers.work / f"cached-{limit}"
        files[name].write_text("\n".join(paths) + "\n", encoding="ascii")
        sizes[name] = expect_hits(parley, token, paths, position)
    plain = {PLAIN: PlainGateway(servers, plan, kib=1), LONG: PlainGateway(servers, plan, kib=round(sizes[PAGE] / 1024))}
    series = {name: Series(name) for name in (PLAIN, ONE_HIT, LONG, PAGE)}
    for number in range(plan.rounds + 1):
        for name, one in series.items():
            seconds = plan.seconds if number else 1
            if name in plain:
                got = plain[name].run_wrk(seconds, plan.wrk_threads)
            else:
                got = run_wrk(server, parley.url(), seconds, token, "read.lua", [files[name]], plan.wrk_threads)
            if got.refused:
                raise RuntimeError(f"{got.refused} of {got.requests} requests were refused: {name}")
            if number:
                one.rounds.append(got)
            say(f"round {number}/{plan.rounds}  {name:<28}{got.per_second:>8.0f} requests/s  {got.cpu_per_10k:5.2f} "
                f"CPU-s/10k  p50 {got.p50_ms:6.2f} ms  p99 {got.p99_ms:6.2f} ms")
    share = cache_share(parley)
    for each in (*(one.server for one in plain.values()), server):
        servers.stop(each)
    return report(series, sizes, share, plan)


class PlainGateway:
    """A gateway alone, before an upstream that answers so many KiB."""

    def __init__(self, servers, plan, kib):
        upstream = peers.start_upstream(servers, kib)
        parley = Parley(servers, plan.binary, servers.work / f"plain-data-{kib}")
        self.token = parley.token(USER)
        self.server = parley.start(f"parley-plain-{kib}", roles=("gateway",),
                                   MESSAGING_SERVICE_URL=f"http://127.0.0.1:{upstream}")
        self.url = parley.url() + PATH
        servers.wait_until_answers(self.server, self.url, self.token)

    def run_wrk(self, seconds, threads):
        return run_wrk(self.server, self.url, seconds, self.token, threads=threads)


def write_messages(parley, token):
    """Each word of the queries is in so many messages that a page of 20 is full. Returns the last one's position."""
    conversation = parley.make_conversations(1, [USER], token)[0]
    answer = {}
    for number in range(MESSAGES):
        words = " ".join(f"number{(number + step) % QUERIES}" for step in range(8))
        answer = parley.ask("POST", "/v1/messages", token, {"conversation_id": conversation, "content": words})
    return answer["position"]


def expect_hits(parley, token, paths, position):
    """Asks each until the answer comes from the cache: at once, but for the first, which news of the last writes may still
    put out of it. The mean size of a body."""
    connection = http.client.HTTPConnection("127.0.0.1", parley.ports["gateway"], timeout=30)
    total = 0
    for path in paths:
        for extra in (f"&min_position={position}", "", *[""] * ASKED_AGAIN):  # the first lets the index catch up
            connection.request("GET", path + extra, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: {body[:500]!r}")
            if answer.getheader("X-Cache") == "hit":
                break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{path} was asked {ASKED_AGAIN + 1} times and is not in the gateway's cache")
        total += len(body)
    return total / len(paths)


def cache_share(parley):
    """The share of all searches that the cache answered."""
    connection = http.client.HTTPConnection("127.0.0.1", parley.ports["gateway"], timeout=30)
    connection.request("GET", "/metrics")
    counts = {}
    for line in connection.getresponse().read().decode().splitlines():
        if line.startswith("parley_gateway_search_cache_requests_total{"):
            counts[line.split('result="')[1].split('"')[0]] = float(line.split()[-1])
    return (counts.get("hit", 0) + counts.get("shared", 0)) / max(sum(counts.values()), 1)


def report(series, sizes, share, plan):
    like = {PLAIN: PLAIN, ONE_HIT: PLAIN, LONG: LONG, PAGE: LONG}  # about as long
    rows = [[one.name, f"{one.median_of('per_second'):,.0f}", f"{one.median_of('cpu_per_10k'):.2f}",
             f"{one.median_of('p50_ms'):.2f}", f"{one.median_of('p99_ms'):.2f}",
             f"{one.ratio_to(series[PLAIN], 'per_second'):.2f}",
             f"{one.ratio_to(series[like[one.name]], 'per_second'):.2f}"] for one in series.values()]
    table = Table(
        "Cached searches",
        f"GET /v1/search/messages through the gateway of an all-in-one server, {QUERIES} queries of one user in turn, each "
        f"in the gateway's cache, beside GET {PATH} through a gateway alone to nginx; {CONNECTIONS} connections, "
        f"{plan.rounds} rounds of {plan.seconds} s in turn after a warm-up. A body is {sizes[ONE_HIT]:,.0f} bytes with one hit "
        f"and {sizes[PAGE]:,.0f} with 20; {share:.2%} of the searches were answered by the cache. CPU of the proxied rows is "
        "the gateway's alone, without nginx, which runs on the same cores.",
        ["", "requests/s", "CPU-s per 10k", "p50 ms", "p99 ms", "requests/s ÷ proxied, 1 KiB", "÷ proxied, as long"], rows)
    table.targets = [at_least(f"cache: requests/s ÷ proxied of that length, {hits}", 0.7,
                              series[name].ratio_to(series[like[name]], "per_second"))
                     for name, hits in ((ONE_HIT, "1 hit"), (PAGE, "20 hits"))]
    note_if_wrk_was_full(table, [one for each in series.values() for one in each.rounds])
    return table
