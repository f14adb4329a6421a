"""What Python code imports is in ./dev's list: a package installed by hand hides a missing line until a fresh machine."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_OF = {  # where Debian's name is not python3-<module>
    "pytest": "python3-pytest",
    "google": "python3-protobuf",
}


def python_files():
    for folder in ("tests", "scripts", "bench"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def own_modules():
    names = {path.stem for path in python_files()}
    return names | {path.parent.name for path in python_files()}


def imported(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def missing(source, listed, own):
    foreign = set(imported(source)) - set(sys.stdlib_module_names) - own
    return sorted(package for package in (PACKAGE_OF.get(name, f"python3-{name}") for name in foreign) if package not in listed)


def listed_packages():
    words = set()
    for line in (ROOT / "dev").read_text().splitlines():
        words |= set(line.split("#")[0].replace("(", " ").replace(")", " ").split())
    return words


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted(python_files())])
def test_every_import_has_its_package(path):
    assert missing(path.read_text(), listed_packages(), own_modules()) == []


def test_a_package_that_is_not_listed_is_found():
    source = "import os\nimport numpy.linalg\nfrom yaml import load\nfrom sibling import x\n"
    assert missing(source, {"python3-yaml"}, {"sibling"}) == ["python3-numpy"]
