"""The documents agree with the project: packages, links, settings, metrics, log lines, decisions."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
# What ./dev and Linux name, and the rest of the world: no settings of ours.
NOT_SETTINGS = {"READY_SECONDS", "PARLEY_TOKEN", "EXPR", "TARGET", "NAME", "FILE", "HEAD", "LF", "CRLF"}


def markdown_files():
    skipped = {"build", "node_modules", ".git"}
    return sorted(path for path in ROOT.rglob("*.md") if not skipped & set(path.relative_to(ROOT).parts))


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def anchor(heading):
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()).replace(" ", "-")


def anchors(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def broken_links(path):
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", without_code(path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        if not place.exists() or (fragment and place.suffix == ".md" and fragment not in anchors(place)):
            yield target


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in markdown_files()])
def test_every_link_leads_somewhere(path):
    assert list(broken_links(path)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.md").write_text("# A `b` c\n[x](no.md) [y](a.md#a-b-c) [z](#d) `[q](r.md)` [w](https://example.com)\n")
    assert list(broken_links(tmp_path / "a.md")) == ["no.md", "#d"]


def packages_of_dev():
    text = re.sub(r"(^|\s)#.*$", "", (ROOT / "dev").read_text(), flags=re.MULTILINE)
    lists = re.findall(r"^(?:BUILD|TEST|ENGINE|BENCH)_PACKAGES=\(([^)]*)\)", text, re.MULTILINE)
    assert len(lists) == 4
    return {name for one in lists for name in one.split()}


def test_every_package_is_explained_and_no_other():
    documented = set(re.findall(r"^\| `([a-z0-9.+-]+)` \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE))
    assert documented == packages_of_dev()


def settings():
    return set(re.findall(r"^\| `([A-Z0-9_]+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))


def settings_named_in(text):
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", text)) - NOT_SETTINGS
    return {re.sub(r"^(JWT_PUBLIC_KEY|METRICS_TOKEN|INTERNAL_KEY)_FILE$", r"\1", name) for name in named}


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/operations.md", "docs/import.md", "docs/api.md"])
def test_every_setting_that_is_named_exists(name):
    text = (ROOT / name).read_text()
    text = re.sub(r"PARLEY_WRITE_DOCS|INSTANTIATE_TEST_SUITE_P|DATA_DIR/[\w./-]*|SO_REUSEPORT", "", text)
    assert settings_named_in(text) - settings() == set()


def test_the_readme_names_the_settings_that_matter_first():
    assert {"JWT_PUBLIC_KEY", "BIND_ADDRESS", "DATA_DIR"} <= settings_named_in((ROOT / "README.md").read_text())


def sources():
    return "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.[ch]*")) if path.suffix in (".cc", ".h") and not path.name.endswith("_test.cc"))


def test_the_metrics_in_operations_are_those_the_server_has(start_server):
    server = start_server()
    shown = {re.sub(r"_(bucket|sum|count)$", "", name.partition("{")[0]) for name in server.metrics("messaging")}
    named = set(re.findall(r"`((?:parley|process)_[a-z0-9_]+)", OPERATIONS))
    only_split = {name for name in named if re.fullmatch(r"parley_upstream_(open|idle)_connections|parley_upstream_connect\w*", name)}
    shown_later = {"parley_event_log_lag"}  # by messaging's upkeep, once search was there
    with_engines = r"parley_(redis|rate_limit|gateway_shared|s3?|event_relay|event_stream|kafka)(_|$)|parley_store_retries_total|parley_upstream_instances_well"
    only_with_engines = {name for name in named if re.match(with_engines, name)}
    assert named - shown - only_split - shown_later - only_with_engines == set(), "operations.md names metrics that are not there"
    ours = {name for name in shown if name.startswith("parley_")}
    assert ours - named == set(), "operations.md does not tell of these metrics"


def test_the_log_lines_in_operations_are_those_of_the_code():
    code = sources()
    section = OPERATIONS.split("| `msg` | level |")[1].split("\n## ")[0]
    lines = [line for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for line in re.findall(r"`([^`]+)`", row)]
    assert len(lines) > 15
    unknown = [line for line in lines if f'"{line.split("…")[0].rstrip(": ")}' not in code]
    assert unknown == []


def test_every_decision_is_in_the_index_with_its_title_and_four_parts():
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text()
    files = sorted(folder.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1)), "numbers have a gap"
    for path in files:
        text = path.read_text()
        number = int(path.name[:4])
        title = re.match(rf"# {number}\. (.+)\n", text)
        assert title, f"{path.name} does not begin with its number and title"
        assert f"| [{number}]({path.name}) | {title.group(1)} |" in index
        parts = [re.match(r"\w+", part).group() for part in re.findall(r"^## (.+)$", text, re.MULTILINE)]
        assert parts == ["Context", "Decision", "Consequences", "Rejected"], path.name
        assert len(text.splitlines()) <= 60, f"{path.name} is longer than a page"


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in markdown_files()])
def test_no_table_says_a_thing_twice(path):
    firsts = []
    for line in [*path.read_text().splitlines(), ""]:
        if not line.startswith("|"):
            assert len(firsts) == len(set(firsts)), [first for first in firsts if firsts.count(first) > 1]
            firsts = []
        else:
            firsts.append(line.split("|")[1].strip())
