import check_names
import pytest


@pytest.mark.parametrize("path", [
    "src/base/string_util.h", "src/base/utils.cc", "src/common/a.h", "src/http/helpers.h", "src/auth/key_manager.cc",
    "web/src/SessionManager.ts", "scripts/git-helper.py", "src/base/CommonTypes.h",
])
def test_refuses_file_names_that_say_nothing(path):
    assert check_names.check_file(path, "")[0]


@pytest.mark.parametrize("path", [
    "src/base/utilization.h", "src/http/uncommon.cc", "src/http/connection.cc", "docs/community.md", "src/base/commonly.h",
])
def test_allows_words_that_merely_contain_them(path):
    assert check_names.check_file(path, "") == ([], [])


@pytest.mark.parametrize("line", [
    "class ConnectionManager {", "struct StringUtil;", "  class TestHelper final : public X {", "namespace parley::util {",
    "enum class CommonError {", "struct [[nodiscard]] JsonHelper {", "template <class T> class PoolManager {",
])
def test_refuses_such_types_and_namespaces(line):
    problems, _ = check_names.check_file("src/base/a.h", f"// first\n{line}\n")
    assert len(problems) == 1 and problems[0].startswith("src/base/a.h:2:")


@pytest.mark.parametrize("line", [
    "class Utilization {", "struct CommonplaceBook;", "// class FooManager is not ours", "class ConnectionPool {",
    "auto manager = make();",
])
def test_allows_other_types(line):
    assert check_names.check_file("src/base/a.h", line + "\n") == ([], [])


def test_checks_python_classes_too():
    assert check_names.check_file("tests/a.py", "class ServerHelper:\n")[0]


@pytest.mark.parametrize("lines, problems, warnings", [(500, 0, 0), (501, 0, 1), (600, 0, 1), (601, 1, 0)])
def test_warns_over_500_lines_and_fails_over_600(lines, problems, warnings):
    found = check_names.check_file("src/base/a.cc", "x\n" * lines)
    assert (len(found[0]), len(found[1])) == (problems, warnings)


def test_length_counts_for_code_only():
    assert check_names.check_file("api/messaging.yaml", "x\n" * 2000) == ([], [])
    assert check_names.check_file("bench/run", "#!/usr/bin/env bash\n" + "x\n" * 700)[0]


def test_a_tree_fails_with_its_problems_and_passes_without(tree, capsys):
    root = tree({"src/base/a.h": "class Clock {};\n", "build/util.h": "class XManager {};\n"})
    assert check_names.main([str(root)]) == 0
    tree({"src/base/b.h": "class XManager {};\n"})
    assert check_names.main([str(root)]) == 1
    assert "XManager" in capsys.readouterr().out
