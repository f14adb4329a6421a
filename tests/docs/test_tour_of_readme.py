"""The commands of the README's tour, run in one shell against a server of their own, print what the README says."""

import subprocess
from pathlib import Path

import pytest
import tour

from harness.server import environment

ROOT = Path(__file__).resolve().parents[2]
MARK = "=== next step ==="


def test_the_output_is_compared_but_for_what_differs_from_run_to_run():
    said = '{"id":"01a20cf2-2b13-720f-a9f9-ff411f3f1cd8","seq":1,…,"created_at":"2026-11-24T09:45:27.059Z"}\n201\n'
    real = '{"id":"01a30000-0000-7000-8000-000000000000","seq":1,"a":2,"created_at":"2027-01-01T00:00:00.000Z"}\n201\n'
    assert tour.differences(said, real) == []
    assert tour.differences(said, real.replace('"seq":1', '"seq":2'))
    assert tour.differences(said, real.replace("201", "200"))
    assert tour.differences(said, real + "more\n")
    assert tour.differences(said + "less\n", real)


@pytest.mark.smoke
def test_the_tour_prints_what_the_readme_says(parley, start_server, tmp_path):
    server = start_server(JWT_PUBLIC_KEY="", RATE_LIMIT_MESSAGES_PER_MINUTE=60)
    # The tour's paths, as they are in a checkout where ./dev run has been.
    place = tmp_path / "checkout"
    (place / "build/release").mkdir(parents=True)
    (place / "build/release/parley").symlink_to(parley)
    (place / "samples").symlink_to(ROOT / "samples")
    (place / "data").symlink_to(server.data)

    steps = tour.steps((ROOT / "README.md").read_text())
    assert len(steps) > 5
    script = "".join(f"{commands}\necho '{MARK}'\n" for commands, _ in steps)
    here = script.replace("http://127.0.0.1:3000", server.url("gateway"))
    assert here != script, "the tour names no port"
    ran = subprocess.run(["bash", "-c", here], cwd=place, env=environment(LC_ALL="C.UTF-8", no_proxy="127.0.0.1"),
                         capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)  # fmt: skip
    printed = ran.stdout.replace(server.url("gateway"), "http://127.0.0.1:3000").split(MARK + "\n")
    assert ran.returncode == 0 and len(printed) == len(steps) + 1, ran.stdout + ran.stderr
    wrong = []
    for (commands, expected), real in zip(steps, printed):
        if different := tour.differences(expected, real):
            wrong.append("\n".join([commands, *different]))
    assert not wrong, "\n\n".join(wrong) + "\n" + ran.stderr
