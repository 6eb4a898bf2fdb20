"""A machine that waits for an answer to its token, on the bridged interpreter."""

import threading

import pytest

from .machine import WaitingMachine, await_value

pytestmark = pytest.mark.xdist_group("small_stack")

ANSWER = {"text": "quotes \" and ', {% $x %}, `ticks` and \U0001f600", "number": 1, "none": None}
OWN_ANSWER = {"answer": {"from": "the function itself"}}


def find_interpreters() -> set[threading.Thread]:
    """The threads in which moto evaluates executions."""
    return {thread for thread in threading.enumerate() if thread.name.endswith("(eval)")}


def test_the_answer_to_the_token_is_the_result_of_the_state(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    waiting_machine.answer(waiting_machine.await_token(execution), ANSWER)
    ended = waiting_machine.await_end(execution)
    assert (ended.status, ended.output) == ("SUCCEEDED", {"answer": ANSWER})


def test_an_answer_of_null_is_an_answer(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    waiting_machine.answer(waiting_machine.await_token(execution), None)
    assert waiting_machine.await_end(execution).output == {"answer": None}


def test_a_failure_is_caught_with_its_error_and_cause(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    token = waiting_machine.await_token(execution)
    waiting_machine.client.send_task_failure(taskToken=token, error="NoSlot", cause="None was free.")
    assert waiting_machine.await_end(execution).output["error"] == {"Error": "NoSlot", "Cause": "None was free."}


def test_a_failure_may_say_nothing(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    waiting_machine.client.send_task_failure(taskToken=waiting_machine.await_token(execution))
    assert waiting_machine.await_end(execution).output["error"] == {"Error": "", "Cause": ""}


@pytest.mark.parametrize("wish", ["", "linger"])
def test_the_state_times_out_whether_or_not_its_function_has_returned(
    waiting_machine: WaitingMachine, wish: str
) -> None:
    ended = waiting_machine.run(wish, timeout_seconds=1)
    assert ended.output["error"]["Error"] == "States.Timeout"
    assert 1 <= ended.seconds < 4


def test_an_answer_after_the_timeout_is_refused(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start(timeout_seconds=1)
    token = waiting_machine.await_token(execution)
    waiting_machine.await_end(execution)
    with pytest.raises(waiting_machine.client.exceptions.TaskTimedOut):
        waiting_machine.answer(token, ANSWER)


def test_the_first_answer_is_the_only_one(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    token = waiting_machine.await_token(execution)
    waiting_machine.answer(token, "first")
    with pytest.raises(waiting_machine.client.exceptions.TaskTimedOut):
        waiting_machine.answer(token, "second")
    with pytest.raises(waiting_machine.client.exceptions.TaskTimedOut):
        waiting_machine.client.send_task_failure(taskToken=token)
    assert waiting_machine.await_end(execution).output == {"answer": "first"}


def test_a_token_that_was_never_given_out_is_invalid(waiting_machine: WaitingMachine) -> None:
    with pytest.raises(waiting_machine.client.exceptions.InvalidToken):
        waiting_machine.answer("made-up", ANSWER)
    with pytest.raises(waiting_machine.client.exceptions.InvalidToken):
        waiting_machine.client.send_task_failure(taskToken="made-up")


def test_an_output_that_is_no_json_is_refused_and_the_state_waits_on(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    token = waiting_machine.await_token(execution)
    with pytest.raises(waiting_machine.client.exceptions.InvalidOutput):
        waiting_machine.client.send_task_success(taskToken=token, output="{no json")
    waiting_machine.answer(token, ANSWER)
    assert waiting_machine.await_end(execution).output == {"answer": ANSWER}


@pytest.mark.parametrize("wish", ["answer", "answer and linger", "answer and fail"])
def test_an_answer_counts_from_the_moment_that_it_is_given_whatever_its_function_does_then(
    waiting_machine: WaitingMachine, wish: str
) -> None:
    ended = waiting_machine.run(wish)
    assert ended.output == OWN_ANSWER
    assert ended.seconds < 4


def test_an_error_of_the_function_is_caught_by_its_type(waiting_machine: WaitingMachine) -> None:
    error = waiting_machine.run("fail").output["error"]
    assert error["Error"] == "Lasting"
    assert "It was asked for." in error["Cause"]


def test_a_try_that_failed_is_followed_by_one_with_a_token_of_its_own(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start("fail once")
    first, second = waiting_machine.await_token(execution), waiting_machine.await_token(execution, tries=1)
    with pytest.raises(waiting_machine.client.exceptions.TaskTimedOut):
        waiting_machine.answer(first, "to the first")
    waiting_machine.answer(second, "to the second")
    assert waiting_machine.await_end(execution).output == {"answer": "to the second"}


def test_a_stop_ends_the_wait_at_once_and_for_good(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start()
    token = waiting_machine.await_token(execution)
    waiting_machine.stop(execution, error="Cancelled", cause="No longer wanted.")
    with pytest.raises(waiting_machine.client.exceptions.TaskTimedOut):
        waiting_machine.answer(token, ANSWER)
    ended = waiting_machine.await_end(execution)
    assert (ended.status, ended.error, ended.cause) == ("ABORTED", "Cancelled", "No longer wanted.")


def test_a_stopped_wait_leaves_no_thread_behind(waiting_machine: WaitingMachine) -> None:
    execution = waiting_machine.start(timeout_seconds=600)
    waiting_machine.await_token(execution)
    threads = find_interpreters()
    waiting_machine.stop(execution, error="Cancelled", cause="")
    left = await_value(find_interpreters, lambda left: not threads & left)
    assert threads
    assert not threads & left


def test_executions_that_wait_hold_up_nobody(waiting_machine: WaitingMachine) -> None:
    waiting = [waiting_machine.start() for _ in range(30)]
    tokens = [waiting_machine.await_token(execution) for execution in waiting]
    assert waiting_machine.run("answer").output == OWN_ANSWER
    assert [waiting_machine.answer(token, number) for number, token in enumerate(tokens)] == [None] * 30
    ended = [waiting_machine.await_end(execution).output["answer"] for execution in waiting]
    assert ended == list(range(30))
