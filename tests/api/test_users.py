"""Profiles: made from the token at first sight, changed by their owner, seen by the tenant."""

import pytest


@pytest.mark.smoke
def test_a_profile_is_made_from_the_token_at_first_sight(tenant):
    ada, ben = tenant.user("ada", name="Ada L."), tenant.user("ben")
    ben.get("users", "ada").refused(404, "not_found")
    answer = ada.get("users", "me", expect=200)
    profile = answer.json
    assert profile["id"] == "ada" and profile["name"] == "Ada L." and profile["avatar_url"] is None
    assert profile["metadata"] == {} and profile["version"] == 1 and answer.headers["ETag"] == '"1"'
    assert ben.get("users", "ada", expect=200).json == profile


def test_any_request_makes_the_profile(tenant):
    tenant.user("ada", name="Ada").group()
    assert tenant.user("ben").get("users", "ada", expect=200).json["name"] == "Ada"


def test_later_tokens_do_not_change_it(tenant):
    tenant.user("ada", name="Ada").get("users", "me", expect=200)
    assert tenant.user("ada", name="Other").get("users", "me", expect=200).json["name"] == "Ada"


def test_a_service_makes_its_users_profile_without_the_name_of_its_own_token(tenant):
    assert tenant.service("ada").get("users", "me", expect=200).json["id"] == "ada"


def test_own_fields_are_changed_and_others_stay(tenant):
    ada, ben = tenant.user("ada", name="Ada"), tenant.user("ben")
    body = {"avatar_url": "https://example.org/a.png", "metadata": {"tz": "UTC"}}
    changed = ada.put("users", "me", body=body, expect=200)
    assert changed.json["name"] == "Ada" and changed.json["version"] == 2 and changed.headers["ETag"] == '"2"'
    seen = ben.get("users", "ada", expect=200).json
    assert seen["avatar_url"] == body["avatar_url"] and seen["metadata"] == {"tz": "UTC"}
    assert ada.put("users", "me", body={}, expect=200).json["version"] == 2
    cleared = ada.put("users", "me", body={"name": None, "avatar_url": None}, expect=200).json
    assert cleared["name"] is None and cleared["avatar_url"] is None and cleared["metadata"] == {"tz": "UTC"}


def test_a_new_name_shows_in_member_lists(tenant):
    ada = tenant.user("ada", name="Ada")
    conversation = ada.group()["id"]
    ada.put("users", "me", body={"name": "Countess"}, expect=200)
    assert ada.all("conversations", conversation, "members")[0]["name"] == "Countess"


def test_if_match_guards_the_profile(tenant):
    ada = tenant.user("ada")
    ada.put("users", "me", body={"name": "a"}, headers={"If-Match": '"1"'}, expect=200)
    answer = ada.put("users", "me", body={"name": "b"}, headers={"If-Match": '"1"'})
    assert answer.refused(412, "precondition_failed").headers["ETag"] == '"2"'


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.org", "//example.org", "", "https://x\n", " https://x",
                                 "https://" + "x" * 2048])  # fmt: skip
def test_an_avatar_is_a_web_address(tenant, url):
    tenant.user("ada").put("users", "me", body={"avatar_url": url}).refused(400, "validation_failed", "/avatar_url")


def test_nobody_changes_anothers_profile(tenant):
    tenant.user("ben").get("users", "me", expect=200)
    answer = tenant.user("ada", "admin").call(
        "PUT", tenant.user("ada").target("users", "ben"), {"name": "x"}, check=False
    )
    assert answer.status == 405 and answer.code == "method_not_allowed"


def test_unknown_users_are_404(tenant):
    for user in ("nobody", "irc:someone", "%", "x" * 128):
        tenant.user("ada").get("users", user).refused(404, "not_found")
