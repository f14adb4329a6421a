import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["run", "test", "build", "bench", "fmt", "lint", "help"]


def dev(*arguments):
    return subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["test", "--help"], ["run", "-h"]])
def test_help_lists_every_command_with_a_line(arguments):
    answer = dev(*arguments)
    assert answer.returncode == 0
    for command in COMMANDS:
        assert f"./dev {command} " in answer.stdout


def test_works_from_any_folder(tmp_path):
    answer = subprocess.run([ROOT / "dev", "help"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0


@pytest.mark.parametrize("arguments, said", [
    (["explode"], "unknown command 'explode'"),
    (["test", "--fast"], "unknown option --fast"),
    (["test", "--preset", "fast"], "unknown preset 'fast'"),
    (["test", "--all", "--quick"], "--all is all of it"),
    (["test", "--preset", "dev", "--all"], "--all is all of it"),
    (["build", "--preset=fast"], "unknown preset 'fast'"),
    (["build", "--preset"], "--preset needs a name"),
    (["lint", "--all"], "unknown option --all"),
])
def test_refuses_what_it_does_not_know(arguments, said):
    answer = dev(*arguments)
    assert answer.returncode == 1
    assert said in answer.stderr
