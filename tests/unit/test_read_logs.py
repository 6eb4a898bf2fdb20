from dataclasses import dataclass, field, replace

import hypothesis.strategies as st
import pytest
from builders import a_run, a_running_run, later
from fakes import InMemoryAgentLogs, ScriptedAgentLogs
from hypothesis import given, settings
from run_story import DEEDS, Story

from outpost.domain.errors import CursorInvalid, RunNotFound
from outpost.domain.run import RunStatus
from outpost.ports import LogLine
from outpost.use_cases.read_logs import LogPosition, read_logs

EXAMPLES = settings(deadline=None, derandomize=True, database=None)
LINE = LogLine(later(seconds=30), "stdout", "hello")
ENDED = a_running_run(status=RunStatus.COMPLETED, ended_at=later(seconds=60))


def read(world, logs, *, position=None, limit=10, wait_seconds=0):
    return read_logs(
        "acme",
        a_run().run_id,
        position=position or LogPosition(),
        limit=limit,
        wait_seconds=wait_seconds,
        agent_logs=logs,
        **world.ports("runs", "clock"),
    )


@dataclass
class Reader:
    """Reads a story's output from where it was, and keeps what it was told."""

    story: Story
    position: LogPosition = field(default_factory=LogPosition)
    told: list[str] = field(default_factory=list)

    def read(self, limit=10):
        """Take a page; whether there may be another."""
        found = read(self.story.world, self.story.logs, position=self.position, limit=limit)
        self.told += [line.message for line in found.lines]
        self.position = found.position
        return found.has_more

    def read_to_the_end(self, limit=10):
        while self.read(limit):
            pass
        return self


@pytest.fixture
def story(world):
    return Story(world)


def test_lines_come_with_the_place_where_the_next_call_goes_on(world):
    world.add(a_running_run())
    logs = read(world, ScriptedAgentLogs(world.clock, [(LINE,)]))
    assert (logs.lines, logs.position, logs.has_more) == ((LINE,), LogPosition(1, "token-1"), True)


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


def test_a_run_that_ended_before_it_had_a_task_has_no_more(world):
    world.add(a_run(status=RunStatus.CANCELLED, ended_at=later(seconds=1)))
    world.clock.move(seconds=2)
    assert not read(world, ScriptedAgentLogs(world.clock, [])).has_more


def test_the_log_of_no_run_is_refused(world):
    with pytest.raises(RunNotFound):
        read(world, ScriptedAgentLogs(world.clock, []))


def test_a_lost_attempts_lines_come_before_the_next_ones(story):
    story.play("claim", "write", "write", "lose", "claim", "write", "end", "rest_long")
    assert Reader(story).read_to_the_end().told == ["line 0", "line 1", "line 2"]


def test_a_page_has_lines_of_one_attempt_and_says_which(story):
    story.play("claim", "write", "lose", "claim", "write", "end", "rest_long")
    first = read(story.world, story.logs)
    second = read(story.world, story.logs, position=LogPosition(2))
    assert [(page.attempt, len(page.lines)) for page in (first, second)] == [(1, 1), (2, 1)]


def test_a_lost_attempts_late_line_is_waited_for(story):
    reader = Reader(story.play("claim", "write", "lose", "claim", "write", "rest"))
    assert [reader.read(), reader.read()] == [True, True]
    assert (reader.told, reader.position.attempt) == (["line 0"], 1)
    story.play("write_late", "end", "rest_long")
    assert reader.read_to_the_end().told == ["line 0", "line 2", "line 1"]


def test_a_lost_attempt_without_a_task_is_passed_over_at_once(story):
    reader = Reader(story.play("lose", "claim", "write"))
    assert reader.read()
    assert (reader.told, reader.position.attempt) == (["line 0"], 2)


def test_several_lost_attempts_without_a_line_are_passed_over_in_one_call(story):
    reader = Reader(story.play("lose", "claim", "lose", "lose", "claim", "write", "end", "rest_long"))
    assert reader.read()
    assert (reader.told, reader.position.attempt) == (["line 0"], 4)


def test_a_place_in_a_lost_attempt_goes_on_there_and_then_in_the_next(story):
    reader = Reader(story.play("claim", "write", "write"))
    reader.read(limit=1)
    story.play("lose", "claim", "write", "end", "rest_long")
    assert reader.read_to_the_end(limit=1).told == ["line 0", "line 1", "line 2"]


def test_the_beginning_of_an_attempt_is_a_place(story):
    story.play("claim", "write", "lose", "claim", "write", "end", "rest_long")
    assert Reader(story, LogPosition(2)).read_to_the_end().told == ["line 1"]


def test_the_end_stays_the_end(story):
    reader = Reader(story.play("claim", "write", "end", "rest_long")).read_to_the_end()
    assert not reader.read()
    assert reader.told == ["line 0"]


def test_a_token_that_has_expired_is_refused(story):
    reader = Reader(story.play("claim", "write"))
    reader.read()
    story.logs.expire_tokens()
    with pytest.raises(CursorInvalid):
        reader.read()


@given(
    steps=st.lists(st.one_of(st.sampled_from(DEEDS), st.integers(1, 3)), min_size=10, max_size=40),
    page_sizes=st.lists(st.integers(0, 3), max_size=40),
)
@EXAMPLES
def test_whatever_the_pages_and_moments_of_reading_every_line_is_told_once_and_in_order(make_world, steps, page_sizes):
    story = Story(make_world(), InMemoryAgentLogs(most_lines=lambda: page_sizes.pop() if page_sizes else 3))
    reader = Reader(story)
    take_steps(story, reader, steps)
    story.play("end", "rest_long")
    assert reader.read_to_the_end().told == story.written


def take_steps(story, reader, steps):
    """Deeds of the story by their names; a number is a page of so many lines."""
    for step in steps:
        reader.read(step) if isinstance(step, int) else story.play(step)
