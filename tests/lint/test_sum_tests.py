import sum_tests

CTEST = """<?xml version="1.0"?><testsuite name="x" tests="4" failures="1">
<testcase name="Ids.AreUnique" classname="Ids.AreUnique" time="0.1" status="run"/>
<testcase name="Ids.Break" classname="Ids.Break" time="0.1" status="fail"><failure message=""/></testcase>
<testcase name="Ids.Skip" classname="Ids.Skip" time="0.1" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION"/></testcase>
<testcase name="Ids.Off" classname="Ids.Off" time="0" status="disabled"/></testsuite>"""
PYTEST = """<?xml version="1.0"?><testsuites><testsuite name="pytest">
<testcase classname="a" name="one"/><testcase classname="a" name="two"><skipped/></testcase>
<testcase classname="a" name="three"><error message="setup"/></testcase></testsuite></testsuites>"""
GOOD = '<testsuite><testcase name="a" status="run"/></testsuite>'


def test_sums_ctest_and_pytest_and_names_what_failed(tree, capsys):
    folder = tree({"dev-ctest.xml": CTEST, "dev-pytest.xml": PYTEST})
    assert sum_tests.main([str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "2 passed, 2 failed, 3 skipped"
    assert "failed: dev-ctest: Ids.Break" in lines and "failed: dev-pytest: three" in lines


def test_is_content_when_all_passed(tree, capsys):
    assert sum_tests.main([str(tree({"dev-ctest.xml": GOOD}))]) == 0
    assert capsys.readouterr().out == "1 passed, 0 failed\n"


def test_a_step_that_broke_without_a_case_counts_as_failed(tree, capsys):
    assert sum_tests.main([str(tree({"dev-ctest.xml": GOOD})), "--failed-steps", "1"]) == 1
    assert capsys.readouterr().out == "1 passed, 1 failed\n"


def test_nothing_ran_and_a_build_broke(tree, capsys):
    assert sum_tests.main([str(tree({})), "--failed-steps", "2"]) == 1
    assert capsys.readouterr().out == "0 passed, 2 failed\n"
