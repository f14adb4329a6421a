"""(b) Durable messages over HTTP into an all-in-one server, beside the bare store committing the same rows."""

import json
import os
import subprocess

from figures import Series, Table, at_least, at_most, note_if_wrk_was_full
from load import CONNECTIONS, run_wrk
from parley_server import Parley

USERS = [f"u{number}" for number in range(8)]
CONVERSATIONS = 16


def measure(servers, plan, say):
    parley = Parley(servers, plan.binary, servers.work / "send-data")
    tokens = [parley.token(user) for user in USERS]
    server = parley.start("parley-send")
    conversations = parley.make_conversations(CONVERSATIONS, USERS, tokens[0])
    token_file = servers.work / "tokens"
    token_file.write_text("\n".join(tokens) + "\n", encoding="ascii")
    series, raw, answered = Series("Parley, POST /v1/messages"), [], 0
    for number in range(plan.rounds + 1):
        one = run_wrk(server, f"{parley.url()}/v1/messages", plan.seconds if number else 1, script="send.lua",
                      arguments=[token_file, *conversations], threads=plan.wrk_threads)
        if one.refused:
            raise RuntimeError(f"{one.refused} of {one.requests} messages were refused")
        answered += one.requests
        raw_rate = run_raw(servers, plan)
        if number:
            series.rounds.append(one)
            raw.append(raw_rate)
        say(f"round {number}/{plan.rounds}  {one.per_second:>8.0f} messages/s  {one.cpu_per_10k:5.2f} CPU-s/10k  p50 "
            f"{one.p50_ms:6.2f} ms  p99 {one.p99_ms:6.2f} ms   raw commit {raw_rate:>8.0f} rows/s")
    check_all_are_stored(parley, tokens[0], answered, plan.rounds + 1)
    servers.stop(server)
    return report(series, raw, plan)


def run_raw(servers, plan):
    """Messages/s of the store's own benchmark: the same rows, 64 a commit, nothing around them."""
    binary = plan.release / "src/messaging/stores/send_bench"
    run = subprocess.run([binary, "--benchmark_filter=^RawGroupCommit/64/", "--benchmark_format=json"], check=False,
                         capture_output=True, text=True, env={**os.environ, "PARLEY_BENCH_DIR": str(servers.work)})
    if run.returncode != 0:
        raise RuntimeError(f"{binary.name} failed: {run.stderr[-1000:]}")
    return json.loads(run.stdout)["benchmarks"][0]["items_per_second"]


def check_all_are_stored(parley, token, answered, rounds):
    """Each answered message took a seq; a few more may have been committed as wrk hung up."""
    stored = sum(one["last_seq"] for one in parley.conversations(token))
    if not answered <= stored <= answered + rounds * CONNECTIONS:
        raise RuntimeError(f"{answered} messages were answered, {stored} are stored")


def report(series, raw, plan):
    ratios = sorted(one.per_second / rate for one, rate in zip(series.rounds, raw, strict=True))
    ratio = ratios[len(ratios) // 2] if len(ratios) % 2 else sum(ratios[len(ratios) // 2 - 1:len(ratios) // 2 + 1]) / 2
    raw_median = sorted(raw)[len(raw) // 2]
    table = Table(
        "Durable messages",
        f"POST /v1/messages through the gateway of an all-in-one server, {CONNECTIONS} connections, {len(USERS)} users in "
        f"{CONVERSATIONS} conversations, short and unlike texts, answered after the fsync; {plan.rounds} rounds of "
        f"{plan.seconds} s, each followed by the bare store committing the same rows 64 at a time without HTTP, tokens or "
        "validation. At the end the seqs of all conversations add up to no fewer than were answered.",
        ["", "messages/s", "CPU-s per 10k", "p50 ms", "p99 ms", "÷ raw"],
        [[series.name, f"{series.median_of('per_second'):,.0f}", f"{series.median_of('cpu_per_10k'):.2f}",
          f"{series.median_of('p50_ms'):.1f}", f"{series.median_of('p99_ms'):.1f}", f"{ratio:.2f}"],
         ["raw group commit, 64 a batch", f"{raw_median:,.0f}", "", "", "", "1.00"]])
    table.targets = [at_least("send: messages/s ÷ raw commit at batch 64", 0.5, ratio),
                     at_most("send: p99", 50, series.median_of("p99_ms"), "ms")]
    note_if_wrk_was_full(table, series.rounds)
    return table
