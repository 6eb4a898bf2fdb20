import pytest
from builders import a_run, a_running_run, later

from outpost.domain.errors import RunAlreadyEnded, RunNotFound, Unavailable
from outpost.domain.run import WAIT_TOKENS, RunStatus
from outpost.domain.token import Purpose, verify
from outpost.use_cases.hand_out_slots import hand_out_slots
from outpost.use_cases.wait_for_slot import wait_for_slot

RUN_ID = a_run().run_id
QUEUED = a_run(status=RunStatus.QUEUED)
PORTS = ("runs", "executions", "signing_key", "clock", "identifiers")


def wait(world, by="token"):
    return wait_for_slot("acme", RUN_ID, by, **world.ports(*PORTS))


def claims_of(world, token):
    return verify(world.signing_key.value(), Purpose.RUNNER_BOOTSTRAP, world.executions.released[token], later())


def test_the_token_of_an_execution_that_waits_is_recorded_and_no_event_tells_it(world):
    world.add(QUEUED)
    assert wait(world).wait_tokens == ("token",)
    assert world.run().wait_tokens == ("token",)
    assert (world.event_types(), world.executions.released) == ([], {})


def test_a_recorded_token_is_answered_with_the_slot(world):
    world.add(QUEUED)
    wait(world)
    hand_out_slots(world.giver)
    assert (claims_of(world, "token")["run"], claims_of(world, "token")["attempt"]) == (RUN_ID, 1)


def test_an_execution_that_waits_again_is_answered_whichever_token_it_waits_with(world):
    world.add(QUEUED)
    wait(world, "first")
    wait(world, "second")
    hand_out_slots(world.giver)
    assert list(world.executions.released) == ["first", "second"]


def test_of_many_tokens_the_last_are_kept(world):
    world.add(QUEUED)
    tokens = [wait(world, f"token-{number}").wait_tokens for number in range(WAIT_TOKENS + 3)]
    assert tokens[-1] == tuple(f"token-{number}" for number in range(3, WAIT_TOKENS + 3))


def test_a_slot_that_was_there_first_is_answered_at_once(world):
    world.add(QUEUED)
    hand_out_slots(world.giver)
    assert wait(world).status is RunStatus.PENDING
    assert claims_of(world, "token")["run"] == RUN_ID


def test_a_slot_that_comes_while_the_token_is_recorded_is_answered_at_once(world):
    world.add(QUEUED)
    world.runs.before_changes = [lambda: hand_out_slots(world.giver)]
    assert wait(world).status is RunStatus.PENDING
    assert list(world.executions.released) == ["token"]


def test_an_answer_that_fails_is_told_so_that_it_is_asked_again(world):
    world.add(a_run())
    world.executions.is_down = True
    with pytest.raises(Unavailable):
        wait(world)


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.TIMEOUT, RunStatus.FAILED, RunStatus.COMPLETED])
def test_an_execution_of_a_run_that_has_ended_waits_for_nothing(world, status):
    world.add(a_run(status=status))
    with pytest.raises(RunAlreadyEnded) as ended:
        wait(world)
    assert ended.value.status == status
    assert world.executions.released == {}


@pytest.mark.parametrize("run", [a_running_run(), a_run().cancel_requested(None, later(seconds=1))])
def test_no_launch_is_let_go_on_for_a_run_that_does_not_wait_for_its_runner(world, run):
    world.add(run)
    assert wait(world) == run
    assert world.executions.released == {}


def test_an_execution_of_no_run_is_refused(world):
    with pytest.raises(RunNotFound):
        wait(world)
