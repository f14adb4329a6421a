"""(d) Memory of an idle all-in-one server with the corpus loaded, and the time from its start until it is healthy."""

import time
from statistics import median

import corpus
from figures import Table, at_most

STARTS = 7
IDLE_SECONDS = 3


def measure(servers, plan, say):
    parley, described = corpus.loaded(servers, plan, say)
    starts, memory = [], []
    for number in range(1, STARTS + 1):
        server = parley.start("parley-idle")
        time.sleep(IDLE_SECONDS)
        starts.append(parley.seconds_to_healthy)
        memory.append(server.rss_mib())
        servers.stop(server)
        say(f"start {number}/{STARTS}  healthy after {starts[-1] * 1000:.0f} ms, {memory[-1]:.1f} MiB resident")
    table = Table(
        "Idle memory and start",
        f"All four roles in one process on a data folder that holds {described}. From the start of the process until "
        f"/health of all roles answers 200, {STARTS} times; resident memory {IDLE_SECONDS} s later.",
        ["", "median", "worst"],
        [["start to healthy, ms", f"{median(starts) * 1000:.0f}", f"{max(starts) * 1000:.0f}"],
         ["idle resident memory, MiB", f"{median(memory):.1f}", f"{max(memory):.1f}"]])
    table.targets = [at_most("idle memory, worst of the starts", 60, max(memory), "MiB"),
                     at_most("start to healthy, worst", 1000, max(starts) * 1000, "ms")]
    return table
