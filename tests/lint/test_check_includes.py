import check_includes
import pytest


@pytest.mark.parametrize("path, target", [
    ("base/ids.cc", "base/ids.h"),
    ("http/server.cc", "base/task.h"),
    ("http/request_scope.cc", "tenancy/caller.h"),
    ("drivers/s3/client.cc", "http/client.h"),
    ("messaging/message_routes.cc", "auth/caller.h"),
    ("messaging/stores/sqlite_message_store.cc", "drivers/sqlite/database.h"),
    ("messaging/stores/sqlite_message_store.cc", "messaging/message_store.h"),
    ("messaging/message_store_test.cc", "messaging/stores/sqlite_message_store.h"),
    ("messaging/testing/message_store_contract.h", "drivers/sqlite/database.h"),
    ("gateway/gateway_routes.cc", "http/upstream.h"),
    ("import/import_run.cc", "http/upstream.h"),
    ("app/main.cc", "messaging/stores/sqlite_message_store.h"),
    ("events/sqlite_event_log.cc", "drivers/sqlite/database.h"),
])
def test_allows_what_goes_down_or_stays(path, target):
    assert check_includes.check_include(path, target, quoted=True) is None


@pytest.mark.parametrize("path, target, why", [
    ("base/ids.cc", "config/settings.h", "higher"),
    ("resilience/breaker.cc", "http/client.h", "higher"),
    ("http/server.cc", "auth/verifier.h", "higher"),
    ("auth/verifier.cc", "messaging/message.h", "higher"),
    ("auth/verifier_test.cc", "app/main.h", "higher"),
    ("messaging/message_service.cc", "media/file_service.h", "features meet"),
    ("gateway/gateway_routes.cc", "messaging/message.h", "features meet"),
    ("messaging/message_service_test.cc", "search/index.h", "features meet"),
    ("import/import_run.cc", "messaging/message.h", "features meet"),
    ("messaging/message_service.cc", "drivers/sqlite/database.h", "only stores/"),
    ("messaging/message_store.h", "drivers/mongo/client.h", "only stores/"),
    ("messaging/message_service.cc", "messaging/stores/sqlite_message_store.h", "only app"),
    ("messaging/message_service.cc", "../messaging/message.h", "from src/"),
    ("messaging/message_service.cc", "message.h", "from src/"),
])
def test_refuses_what_goes_up_or_sideways(path, target, why):
    assert why in check_includes.check_include(path, target, quoted=True)


def test_our_headers_stand_in_quotes_and_foreign_ones_do_not():
    assert "in quotes" in check_includes.check_include("http/server.cc", "base/task.h", quoted=False)
    assert "<>" in check_includes.check_include("http/server.cc", "boost/json.hpp", quoted=True)
    assert check_includes.check_include("http/server.cc", "boost/json.hpp", quoted=False) is None


def test_a_tree_that_keeps_the_rule_passes(tree, capsys):
    src = tree({"src/base/a.h": "#pragma once\n#include <string>\n", "src/http/b.cc": '#include "base/a.h"\n'}) / "src"
    assert check_includes.main([str(src)]) == 0
    assert capsys.readouterr().out == ""


def test_a_tree_that_breaks_it_fails_and_names_file_and_line(tree, capsys):
    src = tree({"src/base/a.h": '#pragma once\n\n#  include "http/b.h"\n', "src/http/b.h": ""}) / "src"
    assert check_includes.main([str(src)]) == 1
    assert "src/base/a.h:3:" in capsys.readouterr().out


def test_a_folder_that_is_in_no_layer_fails(tree, capsys):
    src = tree({"src/helperish/a.h": "", "src/loose.cc": ""}) / "src"
    assert check_includes.main([str(src)]) == 1
    assert capsys.readouterr().out.count("not in a known layer") == 2


def test_folders_of_one_layer_may_not_include_each_other_in_a_circle(tree, capsys):
    src = tree({"src/cache/a.h": '#include "events/a.h"\n', "src/events/a.h": '#include "rate_limit/a.h"\n',
                "src/rate_limit/a.h": '#include "cache/b.h"\n'}) / "src"
    assert check_includes.main([str(src)]) == 1
    assert "cache and events include each other" in capsys.readouterr().out


def test_one_way_within_a_layer_is_fine(tree):
    src = tree({"src/rate_limit/a.h": '#include "cache/a.h"\n', "src/cache/a.h": ""}) / "src"
    assert check_includes.main([str(src)]) == 0
