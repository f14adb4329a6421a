"""What needs real engines runs where its mark is named, and nowhere else: no others have engines."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def collected(*options):
    """The names of the black-box tests that these options choose."""
    answer = subprocess.run([sys.executable, "-s", "-m", "pytest", "tests/api", "tests/live", "--collect-only", "-q", *options],
                            cwd=ROOT, capture_output=True, text=True, timeout=120)  # fmt: skip
    return [line for line in answer.stdout.splitlines() if "::" in line]


@pytest.mark.parametrize("options", [[], ["-m", "smoke"]], ids=["all", "smoke"])
def test_without_engines_nothing_that_needs_them_is_chosen(options):
    names = collected(*options)
    assert names and not [name for name in names if "[engines" in name or name.startswith("tests/live/")]


def test_with_engines_only_what_needs_them_is_chosen():
    names = collected("-m", "live")
    assert names and not [name for name in names if "[engines" not in name and not name.startswith("tests/live/")]
