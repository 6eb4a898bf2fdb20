from dataclasses import replace

import pytest
from builders import a_run, a_running_run, later
from fakes import ScriptedAgentLogs

from outpost.domain.errors import RunNotFound
from outpost.domain.run import RunStatus
from outpost.ports import LogLine
from outpost.use_cases.read_logs import read_logs

LINE = LogLine(later(seconds=30), "stdout", "hello")
ENDED = a_running_run(status=RunStatus.COMPLETED, ended_at=later(seconds=60))


def read(world, logs, *, wait_seconds=0):
    return read_logs(
        "acme",
        a_run().run_id,
        token=None,
        limit=10,
        wait_seconds=wait_seconds,
        agent_logs=logs,
        **world.ports("runs", "clock"),
    )


def test_lines_come_with_the_place_where_the_next_call_goes_on(world):
    world.add(a_running_run())
    logs = read(world, ScriptedAgentLogs(world.clock, [(LINE,)]))
    assert (logs.lines, logs.next_token, logs.has_more) == ((LINE,), "token-1", True)


def test_an_empty_page_is_not_the_end_of_an_ended_runs_log(world):
    world.add(ENDED)
    world.clock.move(minutes=10)
    assert read(world, ScriptedAgentLogs(world.clock, [()])).has_more


def test_the_log_of_an_ended_run_ends(world):
    world.add(ENDED)
    world.clock.move(minutes=10)
    assert not read(world, ScriptedAgentLogs(world.clock, [])).has_more


def test_the_last_lines_may_come_a_little_after_the_end(world):
    world.add(ENDED)
    world.clock.move(seconds=62)
    assert read(world, ScriptedAgentLogs(world.clock, [])).has_more


def test_a_wait_ends_with_the_first_line(world):
    world.add(a_running_run())
    logs = ScriptedAgentLogs(world.clock, [(), (), (LINE,)])
    assert read(world, logs, wait_seconds=20).lines == (LINE,)
    assert world.clock.now() == later(seconds=2)


def test_a_wait_counts_time_and_not_calls(world):
    world.add(a_running_run())
    read(world, ScriptedAgentLogs(world.clock, [], seconds_per_call=3), wait_seconds=20)
    assert later(seconds=18) <= world.clock.now() <= later(seconds=24)


def test_a_run_that_has_not_begun_has_no_lines_and_may_have_more(world):
    world.add(replace(a_run(), task_arn=None))
    logs = read(world, ScriptedAgentLogs(world.clock, [(LINE,)]))
    assert (logs.lines, logs.has_more) == ((), True)


def test_the_log_of_no_run_is_refused(world):
    with pytest.raises(RunNotFound):
        read(world, ScriptedAgentLogs(world.clock, []))
