"""`outpost promote` and `outpost promotion`."""

import json

import pytest

PULL_REQUEST = {"number": 7, "url": "https://github.example.com/example/shop/pull/7"}
COMPARE_URL = "https://github.example.com/example/shop/compare/main...outpost/01jz"
CONFLICT = {
    "status": "FAILED",
    "endedAt": "2026-01-01T12:00:09.000Z",
    "error": {
        "code": "PROMOTION_CONFLICT",
        "message": "Two files conflict.",
        "remedy": "Rerun it.",
        "retryable": False,
    },
    "conflicts": [
        {"path": "src/cart.py", "reason": "changed on both sides"},
        {"path": "src/\x1b[2Jtax.py", "reason": "removed on main"},
    ],
}
COMPLETED = {"status": "COMPLETED", "pullRequest": PULL_REQUEST, "compareUrl": COMPARE_URL, "commit": "a" * 40}


@pytest.fixture
def promoted(service):
    """The service accepts a promotion, and then tells it so."""

    def tell(*states: dict[str, object]) -> None:
        service.on("POST", f"/runs/{service.run_id}/promote", service.data(service.make_promotion(), status=202))
        told = [service.data(service.make_promotion(**state)) for state in states]
        service.on("GET", f"/runs/{service.run_id}/promotion", *told)

    return tell


def test_every_option_becomes_its_field_of_the_contract(outpost, service, promoted):
    promoted()
    outpost("promote", service.run_id, "--branch", "mend", "--title", "Mend", "--body", "It works.", "--ready")
    assert service.seen[0].document == {"branch": "mend", "title": "Mend", "body": "It works.", "draft": False}


@pytest.mark.parametrize(("options", "sent"), [([], {}), (["--draft"], {"draft": True})])
def test_what_was_not_said_is_not_sent(outpost, service, promoted, options, sent):
    promoted()
    outpost("promote", service.run_id, *options)
    assert service.seen[0].document == sent


def test_while_there_is_no_url_stdout_is_empty_in_a_pipe(outpost, service, promoted):
    promoted()
    result = outpost("promote", service.run_id)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "PENDING" in result.stderr
    assert f"outpost promotion {service.run_id} --wait" in result.stderr


def test_wait_looks_until_the_end_and_the_url_is_alone_on_stdout(outpost, service, promoted):
    promoted({"status": "PENDING"}, {"status": "RUNNING"}, COMPLETED)
    result = outpost("promote", service.run_id, "--wait")
    assert (result.exit_code, result.stdout) == (0, f"{PULL_REQUEST['url']}\n")
    assert f"{service.run_id} RUNNING\n" in result.stderr
    assert "onto main" in result.stderr


@pytest.mark.parametrize("title", ["Mend the cart", None])
@pytest.mark.parametrize(("is_draft", "shown"), [(True, ["yes"]), (False, [])])
def test_a_draft_is_shown_whatever_its_title(outpost, service, promoted, title, is_draft, shown):
    promoted({**COMPLETED, "title": title, "draft": is_draft})
    lines = outpost("promotion", service.run_id).stderr.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("Draft")] == shown


def test_without_a_pull_request_it_is_the_comparison(outpost, service, promoted):
    promoted({**COMPLETED, "pullRequest": None})
    assert outpost("promote", service.run_id, "--wait").stdout == f"{COMPARE_URL}\n"


def test_a_promotion_that_failed_has_exit_code_10_and_its_conflicts_file_by_file(outpost, service, promoted):
    promoted(CONFLICT)
    result = outpost("promote", service.run_id, "--wait")
    assert (result.exit_code, result.stdout) == (10, "")
    assert "PROMOTION_CONFLICT: Two files conflict." in result.stderr
    assert "What to do: Rerun it." in result.stderr
    assert [line.split(maxsplit=1) for line in result.stderr.splitlines()[-3:]] == [
        ["CONFLICT", "REASON"],
        ["src/cart.py", "changed on both sides"],
        ["src/tax.py", "removed on main"],
    ]


def test_with_json_it_is_the_promotion_and_with_wait_that_after_its_end(outpost, service, promoted):
    promoted(CONFLICT)
    assert json.loads(outpost("promote", service.run_id, "--json").stdout) == service.make_promotion()
    waited = outpost("promote", service.run_id, "--wait", "--json")
    assert waited.exit_code == 10
    assert json.loads(waited.stdout) == service.make_promotion(**CONFLICT)


@pytest.mark.parametrize(("status", "code", "exit_code"), [(409, "CONFLICT", 5), (403, "AUTHORIZATION_ERROR", 3)])
def test_a_promotion_that_is_refused_is_told(outpost, service, status, code, exit_code):
    service.on("POST", f"/runs/{service.run_id}/promote", service.error(status, code))
    result = outpost("promote", service.run_id)
    assert result.exit_code == exit_code
    assert code in result.stderr


def test_the_promotion_of_a_run_is_shown_whatever_became_of_it(outpost, service, promoted):
    promoted(CONFLICT)
    result = outpost("promotion", service.run_id)
    assert result.exit_code == 0
    assert "src/cart.py" in result.stderr


def test_the_promotion_of_a_run_is_json_for_programs(outpost, service, promoted):
    promoted(COMPLETED)
    assert json.loads(outpost("promotion", service.run_id, "--json").stdout) == service.make_promotion(**COMPLETED)


def test_the_promotion_of_a_run_can_be_waited_for(outpost, service, promoted):
    promoted({"status": "RUNNING"}, CONFLICT)
    assert outpost("promotion", service.run_id, "--wait").exit_code == 10


def test_a_run_without_a_promotion_is_not_found(outpost, service):
    assert outpost("promotion", service.run_id).exit_code == 4
