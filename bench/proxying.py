"""(a) The gateway over HTTP to one upstream, beside nginx, HAProxy and Node."""

import peers
from figures import Series, Table, at_least, at_most, note_if_wrk_was_full
from load import CONNECTIONS, run_wrk
from parley_server import Parley

PATH = "/v1/users/u1"
ONE_NODE = "Node, 1 process"
ALL_NODES = f"Node, {peers.CORES} processes"


def measure(servers, plan, say):
    upstream = peers.start_upstream(servers)
    parley = Parley(servers, plan.binary, servers.work / "gateway-data")
    token = parley.token("u1")
    key = parley.data / "dev_key.pem"
    node_script = peers.install_node_gateway(plan.build)
    ours = parley.start("parley-gateway", roles=("gateway",), MESSAGING_SERVICE_URL=f"http://127.0.0.1:{upstream}")
    started = {
        "Parley": (ours, parley.ports["gateway"]),
        "nginx": peers.start_nginx(servers, upstream),
        "HAProxy": peers.start_haproxy(servers, upstream),
        ONE_NODE: peers.start_node(servers, upstream, node_script, key, 1),
        ALL_NODES: peers.start_node(servers, upstream, node_script, key, peers.CORES),
    }
    try:
        for server, port in started.values():
            servers.wait_until_answers(server, f"http://127.0.0.1:{port}{PATH}", token)
        series = run_rounds(started, token, plan, say)
    finally:
        for server, _ in started.values():
            servers.stop(server)
    return report(series, plan)


def run_rounds(started, token, plan, say):
    series = {name: Series(name) for name in started}
    for number in range(plan.rounds + 1):
        for name, (server, port) in started.items():
            url = f"http://127.0.0.1:{port}{PATH}"
            one = run_wrk(server, url, plan.seconds if number else 1, token, threads=plan.wrk_threads)
            if one.refused:
                raise RuntimeError(f"{name} refused {one.refused} of {one.requests} requests")
            if number:  # the first, short one only warms up
                series[name].rounds.append(one)
            say(f"round {number}/{plan.rounds}  {name:<18}{one.per_second:>8.0f} requests/s  "
                f"{one.cpu_per_10k:5.2f} CPU-s/10k  p50 {one.p50_ms:6.2f} ms  p99 {one.p99_ms:6.2f} ms")
    return series


def report(series, plan):
    parley, nginx, haproxy, node = (series[name] for name in ("Parley", "nginx", "HAProxy", ONE_NODE))
    rows = [[one.name, f"{one.median_of('per_second'):,.0f}", f"{one.median_of('cpu_per_10k'):.2f}",
             f"{one.median_of('p50_ms'):.2f}", f"{one.median_of('p99_ms'):.2f}",
             f"{one.ratio_to(nginx, 'per_second'):.2f}", f"{one.ratio_to(nginx, 'cpu_per_10k'):.2f}",
             f"{one.ratio_to(nginx, 'p99_ms'):.2f}"] for one in series.values()]
    table = Table(
        "Gateway over HTTP",
        f"GET {PATH} through each gateway to the same upstream (nginx answering 1,024 bytes of JSON), {CONNECTIONS} "
        f"connections, {plan.rounds} rounds of {plan.seconds} s in turn after a warm-up; medians, and ratios taken round "
        "by round. CPU is user and system time of all processes of the gateway. All pass a request id on and write a line "
        "per request to a file: nginx through a buffer of 64 KiB, HAProxy as each request ends, Node and ours every 200 ms. "
        "Node and ours also verify the token (ES256, remembered), pass on or replace each header, keep a latency histogram "
        "by route and status, and have a circuit breaker and a deadline; ours also a retry budget. Load generator and "
        "upstream run on the same cores and cost each request the same, which draws the ratios of requests/s towards 1; "
        "the CPU of a gateway holds its own work alone.",
        ["", "requests/s", "CPU-s per 10k", "p50 ms", "p99 ms", "requests/s ÷ nginx", "CPU ÷ nginx", "p99 ÷ nginx"], rows)
    table.targets = [
        at_least("gateway: requests/s ÷ nginx", 1, parley.ratio_to(nginx, "per_second")),
        at_most("gateway: CPU per request ÷ HAProxy", 1, parley.ratio_to(haproxy, "cpu_per_10k")),
        at_most("gateway: p99 ÷ nginx", 1, parley.ratio_to(nginx, "p99_ms")),
        at_least("gateway: requests/s ÷ Node's, one process as Node runs by default", 5, parley.ratio_to(node, "per_second")),
        at_least("gateway: CPU per request, Node's ÷ ours", 5, node.ratio_to(parley, "cpu_per_10k")),
    ]
    note_if_wrk_was_full(table, [one for each in series.values() for one in each.rounds])
    return table
