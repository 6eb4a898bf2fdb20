"""Every path of the run's machine, in the interpreter, with a finish function that answers from a script."""

import json

import pytest

pytestmark = pytest.mark.xdist_group("statemachines")


def test_a_completed_run_ends_green(end_of):
    ended = end_of("COMPLETED")
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["status"] == "COMPLETED"


@pytest.mark.parametrize("status", ["FAILED", "TIMEOUT", "CANCELLED"])
def test_a_run_that_ended_badly_ends_red_with_its_own_code(end_of, status):
    ended = end_of(status)
    assert (ended["status"], ended["error"]) == ("FAILED", f"{status}_CODE")


def test_a_refused_launch_reaches_finish_with_its_name_and_cause(end_of):
    heard = json.loads(end_of("FAILED")["cause"])
    assert (heard["source"], heard["tenantId"], heard["attempt"]) == ("machine", "acme", 1)
    assert heard["task"] is None
    assert heard["error"].startswith("ECS.")
    assert heard["cause"]


def test_a_run_whose_compute_has_not_stopped_is_asked_about_again(end_of):
    ended = end_of("RUNNING-COMPLETED")
    assert ended["status"] == "SUCCEEDED"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 10


def test_a_run_that_is_pending_without_a_token_is_asked_about_and_not_launched_again(
    end_of, hurried_machine, tokens_of, first_token
):
    ended = end_of("PENDING-COMPLETED", hurried_machine)
    assert (ended["status"], tokens_of(ended)) == ("SUCCEEDED", [first_token])


def test_a_lost_attempt_is_launched_again_with_its_own_number_and_token(
    end_of, hurried_machine, tokens_of, first_token, waits_of
):
    ended = end_of("RELAUNCH-FAILED", hurried_machine)
    heard = json.loads(ended["cause"])
    assert (ended["status"], heard["attempt"]) == ("FAILED", 2)
    assert tokens_of(ended) == [first_token, "next"]
    assert waits_of(ended) == ["WaitToRelaunch"]


def test_a_wait_is_long_enough_for_something_to_change(waits):
    assert [name for name, state in waits.items() if state["Seconds"] < 5] == []


def test_a_finish_that_breaks_leaves_the_run_to_the_sweep(end_of):
    ended = end_of("broken")
    assert (ended["status"], ended["error"]) == ("FAILED", "Unsettled")


def test_a_run_whose_compute_never_stops_is_left_to_the_sweep(end_of, hurried_machine, calls_of):
    ended = end_of("RUNNING", hurried_machine)
    assert (ended["status"], ended["error"]) == ("FAILED", "Unsettled")
    assert len(calls_of(ended, "invoke")) == 41


def test_a_run_that_has_its_slot_does_not_wait(end_of, calls_of):
    ended = end_of("FAILED")
    assert calls_of(ended, "invoke.waitForTaskToken") == []
    assert json.loads(ended["cause"])["waiting"] is False


def test_a_queued_run_asks_for_its_slot_with_its_token(queued_end_of, calls_of):
    ended = queued_end_of("grant.FAILED")
    asked = [call["Payload"] for call in calls_of(ended, "invoke.waitForTaskToken")]
    assert [call | {"token": "one"} for call in asked] == [
        {"source": "queue", "tenantId": "acme", "runId": ended["name"], "token": "one"}
    ]


def test_a_queued_run_is_launched_with_the_token_that_came_with_its_slot(queued_end_of, tokens_of):
    ended = queued_end_of("grant.FAILED")
    heard = json.loads(ended["cause"])
    assert tokens_of(ended) == ["slot"]
    assert (heard["attempt"], heard["waiting"]) == (1, False)
    assert heard["error"].startswith("ECS.")


def test_a_wait_that_takes_too_long_reaches_finish_as_a_timeout(queued_end_of, tokens_of):
    ended = queued_end_of("hold.TIMEOUT", queueTimeoutSeconds=1)
    heard = json.loads(ended["cause"])
    assert (ended["error"], heard["error"], heard["waiting"]) == ("TIMEOUT_CODE", "States.Timeout", True)
    assert (heard["attempt"], heard["task"], heard["cause"]) == (1, None, "")
    assert tokens_of(ended) == []


def test_a_slot_that_came_as_the_wait_ended_is_used(queued_end_of, hurried_machine, tokens_of):
    ended = queued_end_of("hold.SLOT-FAILED", hurried_machine, queueTimeoutSeconds=1)
    heard = json.loads(ended["cause"])
    assert tokens_of(ended) == ["slot"]
    assert (heard["attempt"], heard["waiting"]) == (1, False)


def test_a_refused_slot_reaches_finish_with_its_name_and_cause(queued_end_of):
    heard = json.loads(queued_end_of("refuse.FAILED")["cause"])
    assert (heard["error"], heard["cause"]) == ("Refused", "the script says so")
    assert (heard["task"], heard["waiting"]) == (None, True)


def test_a_function_that_breaks_over_the_slot_reaches_finish_by_its_error(queued_end_of):
    heard = json.loads(queued_end_of("broken.FAILED")["cause"])
    assert (heard["error"], heard["waiting"]) == ("ScriptBroken", True)


def test_a_slot_that_came_without_a_token_reaches_finish_as_an_error(queued_end_of, tokens_of):
    ended = queued_end_of("mumble.FAILED")
    heard = json.loads(ended["cause"])
    assert (heard["error"], heard["waiting"]) == ("States.QueryEvaluationError", True)
    assert tokens_of(ended) == []


def test_a_slot_is_asked_for_again_when_the_function_was_not_to_be_had(queued_end_of, calls_of, tokens_of):
    ended = queued_end_of("unavailable-grant.FAILED")
    assert tokens_of(ended) == ["slot"]
    assert len({call["Payload"]["token"] for call in calls_of(ended, "invoke.waitForTaskToken")}) == 2


def test_a_run_that_is_still_queued_asks_for_its_slot_again_a_moment_later(
    queued_end_of, hurried_machine, tokens_of, waits_of
):
    ended = queued_end_of("refuse-grant.QUEUED-FAILED", hurried_machine)
    assert tokens_of(ended) == ["slot"]
    assert waits_of(ended) == ["WaitToAskAgain"]


def test_a_run_that_cannot_ask_for_its_slot_is_left_to_the_sweep(queued_end_of, hurried_machine, calls_of):
    ended = queued_end_of("refuse.QUEUED", hurried_machine)
    assert (ended["status"], ended["error"]) == ("FAILED", "Unsettled")
    assert len(calls_of(ended, "invoke.waitForTaskToken")) == 41


def test_an_execution_that_the_release_before_started_has_the_size_of_its_time(end_of, calls_of):
    (launch,) = calls_of(end_of("COMPLETED", without=("cpuUnits", "memoryMb", "diskGb")), "runTask.sync")
    sizes = {name: launch["Overrides"][name] for name in ("Cpu", "Memory", "EphemeralStorage")}
    assert sizes == {"Cpu": "1024", "Memory": "4096", "EphemeralStorage": {"SizeInGiB": 21}}
