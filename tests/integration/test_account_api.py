"""A tenant's own account over HTTP: who calls, tokens, and the life of a key."""

from dataclasses import replace

import pytest

from outpost.domain.api_key import Scope

ALL_SCOPES = sorted(str(scope) for scope in Scope)
UNKNOWN = "01Q3ENHRG0NNNNNNNNNNNNNNNN"
KEY_FIELDS = {
    "keyId",
    "name",
    "prefix",
    "scopes",
    "status",
    "createdAt",
    "createdBy",
    "lastUsedAt",
    "expiresAt",
    "replacedBy",
    "agents",
    "repositories",
    "monthlyBudgetUsd",
    "runBudgetUsd",
    "runTokens",
}


def make_key(api, **changes):
    """POST /keys."""
    body = {"name": "ci", "scopes": ["dispatch", "status"]} | changes
    return api.call("POST", "/keys", function="account", json=body)


def revoke(api, key_id):
    """DELETE /keys/{id}."""
    return api.call("DELETE", "/keys/{id}", function="account", path_id=key_id)


def rotate(api, key_id, **body):
    """POST /keys/{id}/rotate."""
    return api.call("POST", "/keys/{id}/rotate", function="account", path_id=key_id, json=body)


def make_token(api, **body):
    """POST /auth/token."""
    return api.call("POST", "/auth/token", function="account", json=body)


def with_token(api, **body):
    """The API in the hands of a token."""
    return replace(api, key=make_token(api, **body).data["token"])


def with_key(api, **changes):
    """The API in the hands of another key of the tenant."""
    return replace(api, key=make_key(api, **changes).data["apiKey"])


def own_key_id(api):
    """The id of the key that calls."""
    return api.get("/auth/whoami").data["key"]["keyId"]


def refusal(answer):
    """Status and code."""
    return answer.status, answer.error["code"]


def paths(answer):
    return [error["path"] for error in answer.error["details"]["errors"]]


def test_a_key_is_told_whose_it_is(api):
    data = api.get("/auth/whoami").data
    assert data["tenant"] == {"tenantId": api.tenant_id, "name": "A tenant", "status": "ACTIVE"}
    assert (data["credential"], data["scopes"], data["expiresAt"]) == ("key", ALL_SCOPES, None)
    assert (data["key"]["name"], data["key"]["prefix"]) == ("first key", api.key[:15])


def test_a_caller_is_told_its_plan(make_api):
    plan = make_api(plan={"concurrentRuns": 3, "monthlyBudgetUsd": 12.5}).get("/auth/whoami").data["plan"]
    assert (plan["kind"], plan["concurrentRuns"], plan["monthlyBudgetUsd"]) == ("standard", 3, 12.5)
    assert (plan["dispatches"], plan["agents"], plan["repositories"]) == (None, None, {"allow": None, "deny": []})


def test_a_token_is_told_its_own_scopes_and_end(api):
    made = make_token(api, scopes=["status"]).data
    data = replace(api, key=made["token"]).get("/auth/whoami").data
    assert (data["credential"], data["scopes"], data["expiresAt"]) == ("token", ["status"], made["expiresAt"])
    assert data["key"]["scopes"] == ALL_SCOPES


def test_any_key_may_ask_who_it_is_and_for_a_token(api):
    cancels = with_key(api, scopes=["cancel"])
    assert cancels.get("/auth/whoami").data["scopes"] == ["cancel"]
    assert make_token(cancels).data["scopes"] == ["cancel"]


def test_a_token_has_all_scopes_of_its_key_and_a_quarter_of_an_hour(make_timed_api):
    answer = make_token(make_timed_api())
    assert (answer.status, answer.data["tokenType"], answer.data["expiresInSeconds"]) == (200, "Bearer", 900)
    assert (answer.data["scopes"], answer.data["expiresAt"]) == (ALL_SCOPES, "2030-01-01T12:15:00.000Z")
    assert answer.data["token"].startswith("ott_")


def test_a_token_does_what_its_key_does(api):
    token = with_token(api)
    run_id = token.dispatch().data["runId"]
    assert (token.get("/runs/{id}", run_id).status, token.cancel(run_id).status) == (200, 202)


def test_a_token_may_come_in_the_keys_header(api):
    token = make_token(api).data["token"]
    assert api.get("/runs", headers={"Authorization": "", "X-API-Key": token}).status == 200


def test_a_narrow_token_is_refused_beyond_its_scopes(api):
    token = with_token(api, scopes=["status"])
    assert token.get("/runs").status == 200
    answer = token.dispatch()
    assert (*refusal(answer), answer.error["details"]) == (403, "AUTHORIZATION_ERROR", {"scope": "dispatch"})


def test_a_token_gets_no_scope_that_its_key_has_not(api):
    answer = make_token(with_key(api), scopes=["status", "admin"])
    assert (*refusal(answer), answer.error["details"]) == (403, "AUTHORIZATION_ERROR", {"scope": "admin"})


def test_a_token_makes_no_token(api):
    assert refusal(make_token(with_token(api))) == (403, "POLICY_DENIED")


def test_a_token_neither_makes_nor_rotates_a_key(api):
    token = with_token(api)
    answers = [make_key(token), rotate(token, own_key_id(api))]
    assert [refusal(answer) for answer in answers] == [(403, "POLICY_DENIED")] * 2


@pytest.mark.parametrize(
    ("body", "wrong"),
    [({"scopes": []}, ["scopes"]), ({"scopes": ["everything"]}, ["scopes.0"]), ({"scope": ["status"]}, ["scope"])],
)
def test_a_wish_for_a_token_is_checked(api, body, wrong):
    answer = make_token(api, **body)
    assert (answer.status, paths(answer)) == (400, wrong)


def test_a_token_ends_after_its_quarter_of_an_hour(make_timed_api, clock):
    token = with_token(make_timed_api())
    clock.move(minutes=14, seconds=59)
    assert token.get("/runs").status == 200
    clock.move(seconds=1)
    assert refusal(token.get("/runs")) == (401, "AUTHENTICATION_ERROR")


@pytest.mark.parametrize("spoil", [lambda t: t[:-2] + "AA", lambda t: "ott_" + t, lambda t: t[:40], lambda _: "ott_"])
def test_a_token_that_was_altered_is_unknown(api, spoil):
    token = make_token(api).data["token"]
    answer = api.get("/runs", headers={"Authorization": f"Bearer {spoil(token)}"})
    assert answer.error == api.get("/runs", headers={"Authorization": ""}).error


def test_a_cursor_is_no_token(api):
    make_key(api)
    cursor = api.get("/keys", query={"limit": ["1"]}).body["meta"]["pagination"]["nextCursor"]
    assert api.get("/runs", headers={"Authorization": f"Bearer ott_{cursor}"}).status == 401


def test_a_token_dies_with_its_key(api):
    made = make_key(api).data
    token = with_token(replace(api, key=made["apiKey"]))
    assert token.get("/runs").status == 200
    revoke(api, made["keyId"])
    assert [token.get("/runs").status, token.dispatch().status] == [401, 401]


def test_a_key_is_made_and_its_secret_shown(api):
    answer = make_key(api)
    data = answer.data
    assert (answer.status, set(data)) == (201, KEY_FIELDS | {"apiKey"})
    assert answer.headers["Location"] == f"https://api.example.com/dev/keys/{data['keyId']}"
    assert (data["status"], data["createdBy"], data["scopes"]) == ("ACTIVE", own_key_id(api), ["dispatch", "status"])
    assert data["apiKey"].startswith(data["prefix"])


def test_a_key_that_was_made_works_within_its_scopes(api):
    made = with_key(api)
    assert (made.dispatch().status, made.get("/runs").status) == (201, 200)
    assert refusal(made.get("/keys")) == (403, "AUTHORIZATION_ERROR")


def test_a_secret_is_shown_once(api):
    made = make_key(api).data
    shown = api.get("/keys/{id}", made["keyId"])
    assert set(shown.data) == KEY_FIELDS
    assert made["apiKey"] not in shown.text + api.get("/keys").text


def test_a_keys_restrictions_are_shown(api):
    wish = {"agents": ["shell"], "repositories": ["acme/*"], "monthlyBudgetUsd": 2.5}
    shown = api.get("/keys/{id}", make_key(api, **wish).data["keyId"]).data
    assert {name: shown[name] for name in wish} == wish


def test_a_key_tells_when_it_was_last_used(make_timed_api, clock):
    api = make_timed_api()
    made = make_key(api).data
    clock.move(minutes=5)
    replace(api, key=made["apiKey"]).get("/runs")
    assert made["lastUsedAt"] is None
    assert api.get("/keys/{id}", made["keyId"]).data["lastUsedAt"] == "2030-01-01T12:05:00.000Z"


def test_nobody_gives_a_scope_that_they_have_not(api):
    answer = make_key(with_key(api, scopes=["keys", "status"]), scopes=["status", "admin"])
    assert (*refusal(answer), answer.error["details"]) == (403, "AUTHORIZATION_ERROR", {"scope": "admin"})


@pytest.mark.parametrize(
    "restriction", [{"agents": ["shell"]}, {"repositories": ["acme/*"]}, {"monthlyBudgetUsd": 1}], ids=str
)
def test_a_restricted_key_makes_no_other(api, restriction):
    restricted = with_key(api, scopes=["keys", "status"], **restriction)
    assert refusal(make_key(restricted, scopes=["status"])) == (403, "POLICY_DENIED")


def test_a_key_makes_no_key_that_outlives_it(make_timed_api):
    short = with_key(make_timed_api(), scopes=["keys", "status"], expiresInSeconds=3_600)
    answer = make_key(short, scopes=["status"], expiresInSeconds=3_601)
    assert (*refusal(answer), answer.error["details"]["field"]) == (403, "POLICY_DENIED", "expiresInSeconds")


def test_a_key_that_ends_makes_keys_that_end_with_it(make_timed_api):
    short = with_key(make_timed_api(), scopes=["keys", "status"], expiresInSeconds=3_600)
    assert make_key(short, scopes=["status"]).data["expiresAt"] == "2030-01-01T13:00:00.000Z"


def test_a_key_that_has_been_replaced_makes_no_other(api):
    made = make_key(api, scopes=["keys", "status"]).data
    rotate(api, made["keyId"])
    replaced = replace(api, key=made["apiKey"])
    assert replaced.get("/runs").status == 200
    assert refusal(make_key(replaced, scopes=["status"])) == (403, "POLICY_DENIED")


def test_a_key_ends_when_it_was_to(make_timed_api, clock):
    api = make_timed_api()
    made = make_key(api, expiresInSeconds=60).data
    key = replace(api, key=made["apiKey"])
    clock.move(seconds=59)
    assert (made["expiresAt"], key.get("/runs").status) == ("2030-01-01T12:01:00.000Z", 200)
    clock.move(seconds=1)
    assert [key.get("/runs").status, key.dispatch().status] == [401, 401]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"scopes": ["status", "status"]}, "scopes"),
        ({"expiresInSeconds": 59}, "expiresInSeconds"),
        ({"agents": []}, "agents"),
        ({"agents": ["nobody"]}, "agents.0"),
        ({"repositories": ["a b"]}, "repositories.0"),
        ({"monthlyBudgetUsd": 1_000_001}, "monthlyBudgetUsd"),
        ({"monthlyBudgetUsd": -1}, "monthlyBudgetUsd"),
        ({"scope": ["status"]}, "scope"),
    ],
)
def test_a_wish_for_a_key_is_checked(api, changes, wrong):
    answer = make_key(api, **changes)
    assert (answer.status, paths(answer)) == (400, [wrong])


def listed(answer):
    """The ids on a page."""
    return [key["keyId"] for key in answer.data["keys"]]


def test_keys_are_listed_newest_first_over_pages(api):
    made = [make_key(api, name=name).data["keyId"] for name in ("a", "b", "c")]
    first = api.get("/keys", query={"limit": ["2"]})
    page = first.body["meta"]["pagination"]
    second = api.get("/keys", query={"limit": ["2"], "cursor": [page["nextCursor"]]})
    assert (page["hasMore"], page["limit"]) == (True, 2)
    assert listed(first) + listed(second) == [*sorted(made, reverse=True), own_key_id(api)]
    assert second.body["meta"]["pagination"] == {"nextCursor": None, "hasMore": False, "limit": 2}


def test_a_list_of_keys_is_its_tenants_own(make_api):
    first, second = make_api(), make_api()
    make_key(first)
    assert listed(second.get("/keys")) == [own_key_id(second)]


def test_a_cursor_of_keys_is_bound_to_its_tenant_and_list(make_api):
    api = make_api()
    make_key(api)
    cursor = api.get("/keys", query={"limit": ["1"]}).body["meta"]["pagination"]["nextCursor"]
    asked = [
        make_api().get("/keys", query={"cursor": [cursor]}),
        api.get("/runs", query={"cursor": [cursor]}),
        api.get("/keys", query={"cursor": ["nonsense"]}),
        api.get("/keys", query={"cursor": [""]}),
    ]
    assert [refusal(answer) for answer in asked] == [(400, "INVALID_CURSOR")] * 4


@pytest.mark.parametrize("query", [{"limit": ["0"]}, {"limit": ["101"]}, {"status": ["ACTIVE"]}], ids=str)
def test_a_query_for_keys_is_checked(api, query):
    answer = api.get("/keys", query=query)
    assert (answer.status, paths(answer)) == (400, list(query))


def test_a_strangers_key_is_the_same_404_as_no_key(make_api):
    theirs, mine = make_key(make_api()).data["keyId"], make_api()
    strange = [mine.get("/keys/{id}", theirs), revoke(mine, theirs), rotate(mine, theirs)]
    unknown = [mine.get("/keys/{id}", UNKNOWN), revoke(mine, UNKNOWN), rotate(mine, UNKNOWN)]
    assert [answer.status for answer in strange] == [404, 404, 404]
    assert [answer.error for answer in strange] == [answer.error for answer in unknown]


def test_a_strangers_key_is_left_alone(make_api):
    owner = make_api()
    made = make_key(owner).data
    revoke(make_api(), made["keyId"])
    assert replace(owner, key=made["apiKey"]).get("/runs").status == 200


def test_a_revoked_key_is_refused_from_its_next_request(api):
    made = make_key(api).data
    key = replace(api, key=made["apiKey"])
    before = key.get("/runs").status
    revoked = revoke(api, made["keyId"])
    assert (before, revoked.status, revoked.data["status"]) == (200, 200, "REVOKED")
    assert refusal(key.get("/runs")) == (401, "AUTHENTICATION_ERROR")


def test_a_second_revocation_changes_nothing(api):
    key_id = make_key(api).data["keyId"]
    first, again = revoke(api, key_id), revoke(api, key_id)
    assert (again.status, again.data) == (200, first.data)


def test_a_key_may_revoke_itself(api):
    assert revoke(api, own_key_id(api)).status == 200
    assert api.get("/runs").status == 401


def test_a_revoked_key_is_still_shown(api):
    key_id = make_key(api).data["keyId"]
    revoke(api, key_id)
    assert api.get("/keys/{id}", key_id).data["status"] == "REVOKED"
    assert key_id in listed(api.get("/keys"))


def test_a_rotated_key_lives_on_for_its_grace(make_timed_api, clock):
    api = make_timed_api()
    made = make_key(api).data
    old = replace(api, key=made["apiKey"])
    answer = rotate(api, made["keyId"], graceSeconds=60)
    new = replace(api, key=answer.data["apiKey"])
    assert (answer.status, answer.data["replaces"]) == (
        201,
        {"keyId": made["keyId"], "expiresAt": "2030-01-01T12:01:00.000Z"},
    )
    assert (old.get("/runs").status, new.get("/runs").status) == (200, 200)
    clock.move(seconds=60)
    assert (old.get("/runs").status, new.get("/runs").status) == (401, 200)


def test_the_grace_is_an_hour_if_nothing_is_said(make_timed_api):
    api = make_timed_api()
    replaced = rotate(api, make_key(api).data["keyId"]).data["replaces"]
    assert replaced["expiresAt"] == "2030-01-01T13:00:00.000Z"


def test_without_grace_the_old_key_ends_at_once(api):
    made = make_key(api).data
    old = replace(api, key=made["apiKey"])
    assert old.get("/runs").status == 200
    rotate(api, made["keyId"], graceSeconds=0)
    assert [old.get("/runs").status, old.dispatch().status] == [401, 401]


def test_a_successor_is_a_key_of_the_same_kind(make_timed_api):
    api = make_timed_api()
    wish = {"name": "ci", "agents": ["shell"], "repositories": ["acme/*"], "monthlyBudgetUsd": 3}
    old = make_key(api, expiresInSeconds=7_200, **wish).data
    new = rotate(api, old["keyId"]).data
    same = [*wish, "scopes", "expiresAt"]
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert new["keyId"] != old["keyId"]
    assert api.get("/keys/{id}", old["keyId"]).data["replacedBy"] == new["keyId"]


def test_a_rotation_never_lengthens_the_old_keys_life(make_timed_api):
    api = make_timed_api()
    made = make_key(api, expiresInSeconds=60).data
    assert rotate(api, made["keyId"], graceSeconds=3_600).data["replaces"]["expiresAt"] == made["expiresAt"]


def test_a_key_is_rotated_once(api):
    key_id = make_key(api).data["keyId"]
    rotate(api, key_id)
    answer = rotate(api, key_id)
    assert (*refusal(answer), answer.error["details"]) == (409, "CONFLICT", {"status": "replaced"})


def test_a_revoked_key_is_not_rotated(api):
    key_id = make_key(api).data["keyId"]
    revoke(api, key_id)
    answer = rotate(api, key_id)
    assert (*refusal(answer), answer.error["details"]) == (409, "CONFLICT", {"status": "revoked"})


def test_a_rotated_key_can_be_revoked_within_its_grace(api):
    made = make_key(api).data
    old = replace(api, key=made["apiKey"])
    successor = replace(api, key=rotate(api, made["keyId"]).data["apiKey"])
    assert revoke(api, made["keyId"]).data["status"] == "REVOKED"
    assert (old.get("/runs").status, successor.get("/runs").status) == (401, 200)


def test_a_key_rotates_no_other_that_may_more(api):
    small = with_key(api, scopes=["keys"])
    answer = rotate(small, own_key_id(api))
    assert (answer.status, answer.error["code"]) == (403, "AUTHORIZATION_ERROR")


def test_a_key_revokes_no_other_that_may_more(api):
    answer = revoke(with_key(api, scopes=["keys"]), own_key_id(api))
    assert refusal(answer) == (403, "AUTHORIZATION_ERROR")
    assert api.get("/runs").status == 200


def test_a_restricted_key_revokes_itself_and_no_other(api):
    made = make_key(api, scopes=["keys", "status"], agents=["shell"]).data
    other = make_key(api, scopes=["status"]).data
    restricted = replace(api, key=made["apiKey"])
    assert refusal(revoke(restricted, other["keyId"])) == (403, "POLICY_DENIED")
    assert revoke(restricted, made["keyId"]).data["status"] == "REVOKED"


def test_a_restricted_key_rotates_itself_and_no_other(api):
    made = make_key(api, scopes=["keys", "status"], agents=["shell"]).data
    other = make_key(api, scopes=["status"]).data
    restricted = replace(api, key=made["apiKey"])
    assert refusal(rotate(restricted, other["keyId"])) == (403, "POLICY_DENIED")
    assert rotate(restricted, made["keyId"]).data["agents"] == ["shell"]


@pytest.mark.parametrize("grace", [-1, 604_801, "60"])
def test_a_grace_out_of_bounds_is_refused(api, grace):
    answer = rotate(api, make_key(api).data["keyId"], graceSeconds=grace)
    assert (answer.status, paths(answer)) == (400, ["graceSeconds"])
