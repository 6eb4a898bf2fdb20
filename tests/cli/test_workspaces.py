"""`outpost workspaces`."""

import json

import pytest

WORKSPACE_ID = "01JZ0000000000000000000002"


def make_workspace(**changes: object) -> dict[str, object]:
    """A workspace as the service tells it."""
    return {
        "workspaceId": WORKSPACE_ID,
        "repo": "example/shop",
        "branch": "main",
        "baseSha": "a" * 40,
        "sizeBytes": 3 * 1024 * 1024,
        "createdAt": "2026-01-01T12:00:00.000Z",
        "lastUsedAt": "2026-01-02T12:00:00.000Z",
        "expiresAt": "2026-01-09T12:00:00.000Z",
        "inUseBy": None,
        "lastRunId": "01JZ0000000000000000000000",
        **changes,
    }


def test_the_list_goes_through_every_page(outpost, service):
    fresh = make_workspace(workspaceId="W2", sizeBytes=None, lastUsedAt=None, inUseBy="R1")
    service.on(
        "GET",
        "/workspaces",
        service.data({"workspaces": [fresh]}, pagination={"nextCursor": "c1", "hasMore": True}),
        service.data({"workspaces": [make_workspace()]}),
    )
    rows = [line.split() for line in outpost("workspaces", "list", "--all").stdout.splitlines()[1:]]
    assert rows[0][:5] == ["W2", "example/shop", "main", "-", "-"]
    assert rows[0][-1] == "R1"
    assert rows[1][:5] == [WORKSPACE_ID, "example/shop", "main", "3.0", "MiB"]
    assert service.seen[1].query == [("limit", "100"), ("cursor", "c1")]


def test_the_list_with_json_keeps_its_name(outpost, service):
    service.on("GET", "/workspaces", service.data({"workspaces": [make_workspace()]}))
    assert json.loads(outpost("workspaces", "list", "--json").stdout) == {"workspaces": [make_workspace()]}
    assert service.seen[0].query == [("limit", "20")]


def test_a_workspace_is_shown_with_its_repository_and_its_runs(outpost, service):
    service.on("GET", f"/workspaces/{WORKSPACE_ID}", service.data(make_workspace(inUseBy="R1")))
    shown = [" ".join(line.split()) for line in outpost("workspaces", "show", WORKSPACE_ID).stdout.splitlines()]
    assert "Repository example/shop (main)" in shown
    assert "Size 3.0 MiB" in shown
    assert "In use by R1" in shown
    assert f"Last run {service.run_id}" in shown


@pytest.mark.parametrize(("command", "method"), [("show", "GET"), ("delete", "DELETE")])
def test_a_workspace_is_json_for_programs_which_are_asked_nothing(outpost, service, command, method):
    service.on(method, f"/workspaces/{WORKSPACE_ID}", service.data(make_workspace()))
    assert json.loads(outpost("workspaces", command, WORKSPACE_ID, "--json").stdout) == make_workspace()
    assert [seen.method for seen in service.seen] == [method]


def test_a_workspace_that_was_deleted_is_said_to_be(outpost, service):
    service.on("DELETE", f"/workspaces/{WORKSPACE_ID}", service.data(make_workspace()))
    assert outpost("workspaces", "delete", WORKSPACE_ID).stdout == f"Deleted the workspace {WORKSPACE_ID}\n"


def test_what_makes_a_workspace_is_told_where_there_is_none(outpost, service):
    service.on("GET", "/workspaces", service.data({"workspaces": []}))
    assert "outpost dispatch --persistent" in outpost("workspaces", "list").stderr


def test_a_workspace_that_a_run_has_is_not_deleted(outpost, service):
    service.on("DELETE", f"/workspaces/{WORKSPACE_ID}", service.error(409, "CONFLICT", details={"inUseBy": "R1"}))
    result = outpost("workspaces", "delete", WORKSPACE_ID)
    assert result.exit_code == 5
    assert "inUseBy: R1" in result.stderr


@pytest.mark.parametrize("command", ["show", "delete"])
def test_an_id_that_leads_elsewhere_is_not_sent(outpost, service, command):
    assert (outpost("workspaces", command, "../keys/K").exit_code, service.seen) == (2, [])


def test_a_workspace_that_is_not_there_is_told(outpost):
    assert outpost("workspaces", "show", WORKSPACE_ID).exit_code == 4
