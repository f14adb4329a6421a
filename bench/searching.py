"""(e) Searches in much chat by a member of a part of it, at the search role over HTTP; the same in OpenSearch where one is
given. What indexing costs in time and room, and suggestions."""

import http.client
import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import chat as chats
import opensearch
from figures import Table, at_least, at_most, percentile
from parley_server import TENANT, Parley
from servers import fetch

OWNER, USER = "importer", "reader"
PAGE = 20
COUNTED = 500  # totals are exact up to this on both
WARM_UPS = 50
ORDERS = ("relevance", "newest")


@dataclass
class Asked:
    """One kind of query in one order: milliseconds of each search, and how many found as many in both, of those that
    found fewer than COUNTED."""
    name: str
    counted: int = 0
    alike: int = 0
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)


class SearchRole:
    """One connection to the search role, kept."""

    def __init__(self, parley, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", parley.ports["search"], timeout=60)
        self.headers = {"Authorization": f"Bearer {token}"}

    def send(self, path):
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answered {answer.status}: {text[:500]!r}")
        return text


def measure(servers, plan, say):
    if plan.opensearch:
        opensearch.OpenSearch(plan.opensearch)  # better now than after minutes
    began = time.monotonic()
    chat = chats.write_chat(plan, servers.work / "chat", plan.search_messages)
    say(f"{chat.described}: written in {time.monotonic() - began:.0f} s")
    parley = Parley(servers, plan.binary, servers.work / "search-data")
    position = load(parley, chat, say)
    server, indexing = index_from_log(parley, chat, position)
    say(f"indexed from the event log, {chat.messages / indexing:,.0f} messages/s")
    servers.stop(server)  # files at rest
    size = sum(one.stat().st_size for one in (parley.data / "search").iterdir() if one.is_file())
    server = start(parley)
    say(f"index: {size / 1e6:,.0f} MB, {size / chat.text_bytes:.2f} x the text")
    peer = opensearch.OpenSearch(plan.opensearch) if plan.opensearch else None
    try:
        peer_rate = None
        if peer:
            peer_rate = chat.messages / peer.load(chat)
            say(f"indexed by OpenSearch {peer.version}, {peer_rate:,.0f} messages/s")
        role = SearchRole(parley, parley.token(USER))
        asked = run_searches(role, peer, chat, plan.searches, say)
        check_index_was_asked(parley)
        peer_size = peer.index_bytes() if peer else None
    finally:
        if peer:
            peer.drop()
    suggestions = run_suggestions(role, chat, plan.searches)
    say(f"suggestions: p50 {percentile(suggestions, 50):.1f} ms, p99 {percentile(suggestions, 99):.1f} ms")
    reindexing = reindex(parley)
    say(f"reindexed, {chat.messages / reindexing:,.0f} messages/s")
    servers.stop(server)
    rates = {"event log": chat.messages / indexing, "reindex": chat.messages / reindexing}
    return [latency_table(asked, suggestions, chat, plan, peer),
            indexing_table(rates, size / chat.text_bytes, chat, peer, peer_rate, peer_size)]


def load(parley, chat, say):
    """Into messaging alone, so that no index is written yet. Returns the position of the last write."""
    token = parley.token(OWNER, "admin")
    server = parley.start("parley-load", roles=("gateway", "messaging"))
    seconds = parley.import_from(chat.file, "jsonl", token, jobs=8)
    say(f"imported, {chat.messages / seconds:,.0f} messages/s")
    position = None
    for conversation in chats.member_of():
        added = parley.ask("POST", f"/v1/conversations/{conversation}/members", token, {"user_id": USER})
        position = added["position"]
    stored = sum(one["last_seq"] for one in parley.conversations(token))
    if stored != chat.messages:
        raise RuntimeError(f"{stored} of {chat.messages} messages were imported")
    parley.servers.stop(server)
    return position


def start(parley):
    return parley.start("parley-search", RATE_LIMIT_SEARCHES_PER_MINUTE="0", SEARCH_CACHE_TTL_SECONDS="0")


def index_from_log(parley, chat, position):
    """Starts all roles, and waits until the index has all that was written. The server and seconds since its start."""
    began = time.monotonic()
    server = start(parley)
    token = parley.token(USER)
    query = urlencode({"q": "the", "min_position": position, "wait_ms": 5000})
    while True:
        status, answer = fetch(f"{parley.url('search')}/search/messages?{query}", token, timeout=30)
        if status == 200:
            return server, time.monotonic() - began
        if status != 503:
            raise RuntimeError(f"waiting for the index of {chat.messages} messages: {status} {answer[:500]!r}")
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended while it indexed: {parley.servers.errors_of(server)}")


def run_searches(role, peer, chat, times, say):
    """Kinds and orders in turn, ours and OpenSearch's one after the other, so that a slow moment hits all alike."""
    conversations = chats.member_of()
    queries = chats.searches_of(chat, times + WARM_UPS)
    asked = {(kind, order): Asked(f"{kind}, {order}") for kind in queries for order in ORDERS}
    for number in range(-WARM_UPS, times):
        for (kind, order), one in asked.items():
            words = queries[kind][number % len(queries[kind])]
            # Blanks make each question another for the result cache, which knows it as it was typed.
            path = our_path(kind, words, order, blanks=(number + WARM_UPS) % 800)
            took, answer = timed(lambda: role.send(path))
            compared = peer is not None and kind != chats.NOTHING
            if compared:
                body = opensearch.search_body(kind, words, order, conversations, PAGE, COUNTED)
                theirs, found = timed(lambda: peer.send("POST", f"/{opensearch.INDEX}/_search", body))
            if number < 0:
                continue
            one.ours.append(took)
            if compared:
                one.theirs.append(theirs)
                total, their_total = json.loads(answer)["total"]["value"], json.loads(found)["hits"]["total"]["value"]
                if min(total, their_total) < COUNTED:
                    one.counted += 1
                    one.alike += abs(total - their_total) <= 0.05 * max(total, their_total)
    for one in asked.values():
        say(f"{one.name:<46}" + "   ".join(
            f"{name} p50 {percentile(took, 50):6.1f} ms  p99 {percentile(took, 99):6.1f} ms"
            for name, took in (("Parley", one.ours), ("OpenSearch", one.theirs)) if took)
            + (f"   as many in {one.alike} of {one.counted}" if one.counted else ""))
    return list(asked.values())


def our_path(kind, words, order, blanks):
    text = {"phrase": lambda: '"' + " ".join(words) + '"', "OR": lambda: " OR ".join(words),
            "prefix": lambda: words[0] + "*"}.get(kind, lambda: " ".join(words))()
    return "/search/messages?" + urlencode({"q": text + " " * blanks, "sort": order, "limit": PAGE}, quote_via=quote)


def timed(ask):
    began = time.perf_counter()
    answer = ask()
    return (time.perf_counter() - began) * 1000, answer


def check_index_was_asked(parley):
    _, text = fetch(f"{parley.url('search')}/metrics")
    for line in text.decode().splitlines():
        if line.startswith("parley_search_cache_hits_total") and float(line.split()[-1]) > 0:
            raise RuntimeError(f"searches were answered by the result cache, not by the index: {line}")


def run_suggestions(role, chat, times):
    """Milliseconds for each: the beginnings of common words as they are typed, from two letters on."""
    words = [words[0] for kind in ("prefix", "rare word") for words in chats.searches_of(chat, times)[kind]]
    typed = sorted({word[:length] for word in words for length in (2, 3, 4)})
    took = [timed(lambda text=text: role.send("/search/suggestions?" + urlencode({"q": text})))[0] for text in typed * 2]
    return took[len(typed):]


def reindex(parley):
    """Seconds that `parley reindex` takes beside the running server."""
    environment = {**os.environ, "SEARCH_PORT": str(parley.ports["search"])}
    began = time.monotonic()
    run = subprocess.run([parley.binary, "reindex", "--data", parley.data, "--tenant", TENANT], env=environment,
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"parley reindex failed: {run.stdout[-500:]}{run.stderr[-1500:]}")
    return time.monotonic() - began


def latency_table(asked, suggestions, chat, plan, peer):
    columns = ["", "p50 ms", "p99 ms"]
    rows = [[one.name, f"{percentile(one.ours, 50):.1f}", f"{percentile(one.ours, 99):.1f}"] for one in asked]
    rows.append(["suggestions", f"{percentile(suggestions, 50):.1f}", f"{percentile(suggestions, 99):.1f}"])
    finding = [one for one in asked if not one.name.startswith(chats.NOTHING)]
    targets = [at_most("search: p99, worst of the kinds that find", 50,
                       max(percentile(one.ours, 99) for one in finding), "ms"),
               at_most("search: p99 of suggestions", 30, percentile(suggestions, 99), "ms")]
    if peer:
        columns += [f"OpenSearch p{part} ms" for part in (50, 99)] + [f"p{part} ÷ OpenSearch" for part in (50, 99)]
        for row, one in zip(rows, finding, strict=False):
            row += [f"{percentile(one.theirs, part):.1f}" for part in (50, 99)]
            row += [f"{ratio(one, part):.2f}" for part in (50, 99)]
        for row in rows[len(finding):]:  # what OpenSearch has no like of
            row += [""] * 4
        targets += [at_most(f"search: p{part} ÷ OpenSearch's, worst of the kinds", 1, max(ratio(one, part) for one in finding))
                    for part in (50, 99)]
    table = Table(
        "Search",
        f"GET /search/messages at the search role of an all-in-one server that holds {chat.described} by a member of "
        f"{chats.MEMBER_OF} of them, the biggest among them; pages of {PAGE}, totals counted up to {COUNTED:,}, one "
        f"connection, {plan.searches} searches of each kind and order in turn after {WARM_UPS} to warm up. Each is another "
        "query or spelled with other blanks, so that no result cache answers. An answer is the whole messages, which "
        "messaging is asked for anew. By relevance, ours ranks the newest 500 matches." + said_of_peer(peer),
        columns, rows, targets)
    if counted := sum(one.counted for one in asked):
        alike = sum(one.alike for one in asked) / counted
        table.notes.append(f"of the searches that found fewer than {COUNTED:,}, {alike:.0%} found as many in both, within a "
                           "twentieth: the analyses are alike, not the same.")
    return table


def said_of_peer(peer):
    if not peer:
        return ""
    return (f" OpenSearch {peer.version} on the same machine holds the same messages and was asked the same questions by the "
            "same client, each right after ours: one shard, no replica, a filter by the same conversation ids, folded and "
            "stemmed words, parts of identifiers, pairs of characters, highlights; neither index was optimised by hand. It "
            "ranks all matches, checks no token and looks nothing up elsewhere.")


def ratio(one, part):
    return percentile(one.ours, part) / percentile(one.theirs, part)


def indexing_table(rates, times_text, chat, peer, peer_rate, peer_size):
    rows = [["from the event log, as the server starts", f"{rates['event log']:,.0f}", f"{times_text:.2f}"],
            ["parley reindex, beside what serves", f"{rates['reindex']:,.0f}", ""]]
    if peer:
        rows.append([f"OpenSearch, {opensearch.BULK:,} a request, one connection", f"{peer_rate:,.0f}",
                     f"{peer_size / chat.text_bytes:.2f}"])
    return Table(
        "Indexing",
        f"The messages of the section before, {chat.text_bytes / 1e6:,.1f} MB of text, from the start of the work until all "
        "can be found. Files of the index are all that search keeps after a clean stop, the text itself included.",
        ["", "messages/s", "files ÷ text"], rows,
        [at_least("indexing: from the event log", 10_000, rates["event log"], "messages/s"),
         at_least("indexing: by parley reindex", 10_000, rates["reindex"], "messages/s"),
         at_most("indexing: files of the index ÷ text", 4, times_text)])
