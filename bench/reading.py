"""(c) Pages of 50 messages out of the imported corpus."""

import random
from urllib.parse import quote

import corpus
from figures import Series, Table, note_if_wrk_was_full
from load import CONNECTIONS, run_wrk

PATHS = 500


def measure(servers, plan, say):
    parley, described = corpus.loaded(servers, plan, say)
    token = parley.token(corpus.USER)
    server = parley.start("parley-read")
    long_ones = [one for one in parley.conversations(token) if one["last_seq"] >= 50]
    dice = random.Random(7)
    kinds = {"newest page": newest_page, "page around a random message": page_around}
    series = {}
    for name, path_of in kinds.items():
        series[name] = Series(name)
        paths = [path_of(dice.choice(long_ones), dice) for _ in range(PATHS)]
        if len(parley.ask("GET", paths[0], token)["items"]) != 50:
            raise RuntimeError(f"{paths[0]} is no page of 50")
        file = servers.work / f"paths-{name.split()[0]}"
        file.write_text("\n".join(paths) + "\n", encoding="ascii")
        for number in range(plan.rounds + 1):
            one = run_wrk(server, parley.url(), plan.seconds if number else 1, token, "read.lua", [file], plan.wrk_threads)
            if one.refused:
                raise RuntimeError(f"{one.refused} of {one.requests} reads were refused")
            if number:
                series[name].rounds.append(one)
            say(f"round {number}/{plan.rounds}  {name:<30}{one.per_second:>8.0f} requests/s  {one.cpu_per_10k:5.2f} "
                f"CPU-s/10k  p50 {one.p50_ms:6.2f} ms  p99 {one.p99_ms:6.2f} ms")
    servers.stop(server)
    rows = [[one.name, f"{one.median_of('per_second'):,.0f}", f"{one.median_of('cpu_per_10k'):.2f}",
             f"{one.median_of('p50_ms'):.1f}", f"{one.median_of('p99_ms'):.1f}"] for one in series.values()]
    table = Table(
        "Pages of 50 messages",
        f"GET /v1/conversations/ID/messages through the gateway of an all-in-one server that holds {described}; {PATHS} "
        f"different addresses in turn, {CONNECTIONS} connections, {plan.rounds} rounds of {plan.seconds} s. One request is "
        "50 messages.", ["", "requests/s", "CPU-s per 10k", "p50 ms", "p99 ms"], rows)
    note_if_wrk_was_full(table, [one for each in series.values() for one in each.rounds])
    return table


def newest_page(conversation, _):
    return f"/v1/conversations/{quote(conversation['id'], safe='')}/messages?limit=50"


def page_around(conversation, dice):
    return f"{newest_page(conversation, dice)}&around={dice.randint(1, conversation['last_seq'])}"
