"""scripts/lint as a whole, on a small project of its own: one good, and one bad in a single way for each check."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = "int answer() {\n  return 42;\n}\n"


def lint(root, *arguments):
    return subprocess.run(["scripts/lint", *arguments], cwd=root, capture_output=True, text=True, timeout=60)


@pytest.fixture
def project(tree):
    root = tree({"src/base/a.cc": GOOD, ".ci/run": "#!/usr/bin/env bash\nexec ./dev test\n"})
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dev", ".clang-format"):
        shutil.copy(ROOT / name, root / name)
    return root


def test_a_good_project_passes_every_check(project):
    answer = lint(project)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("ok    ") == 5


@pytest.mark.parametrize("name, text, check, said", [
    ("src/base/b.cc", "int   answer( ){return 42;}\n", "format", "src/base/b.cc"),
    ("scripts/go.sh", "#!/usr/bin/env bash\ncd $1\n", "shell scripts", "SC2086"),
    ("bench/run", "#!/usr/bin/env bash\ncd $1\n", "shell scripts", "SC2086"),
    ("src/base/b.h", '#include "http/server.h"\n', "include rule", "src/base/b.h:1"),
    ("src/base/string_util.h", "#pragma once\n", "names", "src/base/string_util.h"),
    ("docs/a.md", "cp x /roo" + "t/y\n", "no secret", "docs/a.md:1"),
])
def test_each_check_fails_alone_and_says_where(project, name, text, check, said):
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    answer = lint(project)
    assert answer.returncode == 1
    assert said in answer.stdout
    failed = [line for line in answer.stdout.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 1 and check in failed[0]


def test_a_missing_tool_is_a_failure_not_a_pass(project):
    text = (project / "scripts/lint").read_text()
    (project / "scripts/lint").write_text(text.replace("clang-format-19", "no-such-formatter"))
    answer = lint(project)
    assert answer.returncode == 1 and "FAIL  format" in answer.stdout


def test_fix_format_mends_what_the_check_found(project):
    (project / "src/base/b.cc").write_text("int   answer( ){return 42;}\n")
    assert lint(project, "--fix-format").returncode == 0
    assert lint(project).returncode == 0
