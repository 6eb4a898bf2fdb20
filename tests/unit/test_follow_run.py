from collections.abc import Callable
from dataclasses import dataclass, field, replace

import hypothesis.strategies as st
import pytest
from builders import a_run, later
from fakes import InMemoryAgentLogs, SteppedClock
from hypothesis import given, settings
from run_story import CLOCKS_AND_INDEX, DEEDS, Story

from outpost.domain.errors import CursorInvalid, RunNotFound
from outpost.domain.event import Event
from outpost.domain.run import RunStatus
from outpost.use_cases.follow_run import LINES_AT_ONCE, Done, Lines, Part, Place, follow_run, read_events

EXAMPLES = settings(deadline=None, derandomize=True, database=None)
MOST_CALLS = 200


@dataclass
class Follower:
    """Follows a story from where it was, and keeps what it was told."""

    story: Story
    place: Place = field(default_factory=Place)
    told: list[Event | Lines | Done] = field(default_factory=list)
    has_more_now: bool = False

    def follow(self, *, wait_seconds=0, kept=None) -> tuple[Part, ...]:
        """What comes next; of that, only the first `kept` parts arrive where they are said."""
        news = follow_run(
            "acme",
            a_run().run_id,
            self.place,
            wait_seconds=wait_seconds,
            events=self.story.events,
            agent_logs=self.story.logs,
            **self.story.world.ports("runs", "clock"),
        )
        parts = news.parts[:kept]
        self.has_more_now = news.has_more_now
        self.told += [part.what for part in parts]
        self.place = parts[-1].behind if parts else self.place
        return parts

    def follow_to_the_end(self) -> "Follower":
        for _ in range(MOST_CALLS):
            if not self.place.is_done:
                self.follow(wait_seconds=20)
        return self

    @property
    def words(self) -> list[str]:
        """What was told, in a word for each part."""
        return [word_for(what) for what in self.told]

    @property
    def lines(self) -> list[str]:
        return [line.message for what in self.told if isinstance(what, Lines) for line in what.lines]

    @property
    def events(self) -> list[Event]:
        return [what for what in self.told if isinstance(what, Event)]


def word_for(what) -> str:
    match what:
        case Event(type=kind):
            return str(kind).removeprefix("run.")
        case Lines(lines=lines):
            return " ".join(line.message for line in lines)
        case Done(status=status):
            return f"done {status}"


@dataclass
class EventfulClock(SteppedClock):
    """A clock whose first sleeps have something happen while they last."""

    deeds: list[Callable[[], object]] = field(default_factory=list)

    def sleep(self, seconds):
        super().sleep(seconds)
        if self.deeds:
            self.deeds.pop(0)()


@pytest.fixture
def story(world):
    return Story(world)


@pytest.fixture
def follower(story):
    return Follower(story)


def test_events_and_output_come_by_time(story, follower):
    story.play("write", "write", "end", "rest_long")
    assert follower.follow_to_the_end().words == ["accepted", "running", "line 0 line 1", "failed", "done FAILED"]


def test_lines_have_their_place_by_the_first_of_them(story, follower):
    story.play("write", "lose", "write_late")
    follower.follow()
    assert follower.words == ["accepted", "running", "line 0 line 1", "relaunched"]


def test_whoever_comes_late_hears_of_two_attempts_as_they_were(story, follower):
    story.play("write", "lose", "write", "end", "rest_long")
    assert follower.follow_to_the_end().words == [
        *("accepted", "running", "line 0", "relaunched"),
        *("running", "line 1", "failed", "done FAILED"),
    ]


def test_an_event_does_not_overtake_the_output_before_it_however_much_it_is(story, follower):
    story.play(*["write"] * (2 * LINES_AT_ONCE + 1), "end", "rest_long")
    follower.follow_to_the_end()
    assert [type(what) for what in follower.told] == [Event, Event, Lines, Lines, Lines, Event, Done]
    assert follower.lines == story.written


def test_a_full_answer_has_more_behind_it(story, follower):
    story.play(*["write"] * (LINES_AT_ONCE + 1))
    heard = [(len(follower.follow()), follower.has_more_now) for _ in range(2)]
    assert heard == [(3, True), (1, False)]


def test_an_ended_run_has_more_behind_each_answer_until_it_is_done(story):
    sizes = [1, 1, 1]
    story.logs.most_lines = lambda: sizes.pop(0)
    follower = Follower(story.play("write", "write", "write", "end", "rest_long"))
    heard = [(follower.follow()[-1].what, follower.has_more_now) for _ in range(4)]
    assert [has_more_now for _, has_more_now in heard] == [True, True, True, False]
    assert heard[-1][0] == Done(RunStatus.FAILED)


def test_without_news_there_is_no_more_behind_it(story, follower):
    story.play("write", "end", "rest")
    follower.follow()
    follower.follow()
    assert (follower.follow(), follower.has_more_now) == ((), False)


def test_events_keep_their_own_order_where_clocks_differ(story, follower):
    story.play("date_late", "claim", "date_early", "lose", "write", "end", "rest_long")
    assert [event.number for event in follower.follow_to_the_end().events] == [1, 2, 3, 4, 5]


def test_every_part_of_an_answer_has_the_place_behind_it(story, follower):
    story.play("write")
    parts = follower.follow()
    assert [(part.behind.events, part.behind.logs.token is None) for part in parts] == [
        (1, True),
        (2, True),
        (2, False),
    ]


@pytest.mark.parametrize("kept", range(9))
def test_it_is_taken_up_again_behind_any_part(make_world, kept):
    whole, broken = (Follower(Story(make_world())) for _ in range(2))
    for follower in (whole, broken):
        follower.story.play("write", "write", "lose", "write", "end", "rest_long")
        follower.follow_to_the_end()
    places = [Place(), *places_of(broken.story)]
    resumed = Follower(broken.story, places[kept]).follow_to_the_end()
    assert resumed.told == whole.told[kept:]


def places_of(story) -> list[Place]:
    """The places behind each part of a story that is over."""
    follower, places = Follower(story), []
    for _ in range(MOST_CALLS):
        if not follower.place.is_done:
            places += [part.behind for part in follower.follow(wait_seconds=20)]
    return places


def test_what_the_index_does_not_have_yet_is_told_later(story, follower):
    story.play("fall_behind", "claim")
    follower.follow()
    story.play("catch_up")
    follower.follow()
    assert follower.words == ["accepted", "running"]


def test_nothing_is_told_behind_a_gap_of_the_index(story, follower):
    story.play("fall_behind", "claim", "keep_up", "lose", "end", "rest_long")
    follower.follow(wait_seconds=20)
    assert follower.words == ["accepted"]
    story.play("catch_up")
    assert follower.follow_to_the_end().words == ["accepted", "running", "relaunched", "failed", "done FAILED"]


def test_it_is_not_done_before_the_last_event_is_there(story, follower):
    story.play("write", "fall_behind", "end", "rest_long")
    follower.follow()
    assert follower.follow(wait_seconds=20) == ()
    story.play("catch_up")
    assert follower.follow_to_the_end().words[-2:] == ["failed", "done FAILED"]


def test_it_is_not_done_before_the_last_lines_had_time_to_arrive(story, follower):
    story.play("write", "end", "rest")
    follower.follow()
    follower.follow()
    assert not follower.place.is_done
    story.play("write_late", "rest_long")
    assert follower.follow_to_the_end().words[-3:] == ["failed", "line 1", "done FAILED"]


def test_a_run_that_never_had_a_task_is_done_with_its_last_event(story, follower):
    story.play("end")
    follower.follow()
    assert follower.words == ["accepted", "failed", "done FAILED"]


def test_the_end_is_told_once_and_last(story, follower):
    story.play("write", "end", "rest_long")
    follower.follow_to_the_end()
    assert (follower.words.count("done FAILED"), follower.told[-1]) == (1, Done(RunStatus.FAILED))


def test_a_run_whose_events_have_no_numbers_is_still_told_to_its_end(story, follower):
    story.play("write", "end", "rest_long")
    story.world.add(replace(story.run, events=0))
    story.world.runs.events = [replace(event, number=None) for event in story.told]
    assert follower.follow_to_the_end().words == ["line 0", "done FAILED"]


def test_without_news_there_is_nothing_when_the_wait_is_over(story, follower):
    follower.follow()
    before = story.world.clock.now()
    assert follower.follow(wait_seconds=20) == ()
    assert 19 <= (story.world.clock.now() - before).total_seconds() <= 20


def test_the_index_is_not_asked_while_the_run_has_no_other_event(story, follower):
    follower.follow()
    follower.follow(wait_seconds=20)
    assert story.events.queries == 1


@pytest.mark.parametrize(("deed", "word"), [("claim", "running"), ("write", "line 1"), ("lose", "relaunched")])
def test_a_wait_ends_with_the_first_news(world, deed, word):
    world.clock = EventfulClock()
    story = Story(world).play(*(["write"] if deed == "write" else []))
    follower = Follower(story)
    follower.follow()
    world.clock.deeds = [story.rest, lambda: story.play(deed)]
    follower.follow(wait_seconds=20)
    assert follower.words[-1] == word
    assert world.clock.now() <= later(seconds=6)


def test_a_wait_goes_on_behind_the_empty_pages_of_a_log(story):
    follower = Follower(story.play("write"))
    sizes = [0, 0, 1]
    story.logs.most_lines = lambda: sizes.pop(0)
    follower.follow()
    follower.follow(wait_seconds=20)
    assert (follower.words, sizes) == (["accepted", "running", "line 0"], [])


def test_a_place_whose_token_has_expired_is_refused(story, follower):
    story.play("write")
    follower.follow()
    story.logs.expire_tokens()
    with pytest.raises(CursorInvalid):
        follower.follow()


def test_no_run_has_nothing_to_follow(world, story):
    world.runs.records.clear()
    with pytest.raises(RunNotFound):
        Follower(story).follow()


@given(
    steps=st.lists(
        st.one_of(st.sampled_from(DEEDS), st.sampled_from(CLOCKS_AND_INDEX), st.integers(0, 3)),
        min_size=10,
        max_size=40,
    ),
    page_sizes=st.lists(st.integers(0, 3), max_size=40),
)
@EXAMPLES
def test_whatever_is_heard_of_each_answer_all_is_told_once_and_in_order(make_world, steps, page_sizes):
    story = Story(make_world(), InMemoryAgentLogs(most_lines=lambda: page_sizes.pop() if page_sizes else 3))
    follower = Follower(story)
    take_steps(story, follower, steps)
    story.play("end", "catch_up", "rest_long")
    follower.follow_to_the_end()
    assert follower.events == story.told
    assert follower.lines == story.written
    assert [what for what in follower.told if isinstance(what, Done)] == [follower.told[-1]]


def take_steps(story, follower, steps):
    """Deeds of the story by their names; a number is an answer of which so many parts arrive."""
    for step in steps:
        follower.follow(kept=step) if isinstance(step, int) else story.play(step)


def page(story, *, after=0, limit=20, wait_seconds=0):
    return read_events(
        "acme",
        a_run().run_id,
        after=after,
        limit=limit,
        wait_seconds=wait_seconds,
        events=story.events,
        **story.world.ports("runs", "clock"),
    )


def numbers(events):
    return [event.number for event in events]


def test_a_page_has_the_events_behind_so_many(story):
    story.play("claim", "lose", "claim")
    assert numbers(page(story, after=1, limit=2).events) == [2, 3]


def test_a_page_says_that_a_run_may_go_on(story):
    assert page(story).has_more


@pytest.mark.parametrize(("limit", "has_more"), [(2, True), (3, False)])
def test_the_events_of_an_ended_run_end(story, limit, has_more):
    story.play("claim", "end")
    assert page(story, limit=limit).has_more is has_more


def test_an_ended_run_may_have_more_while_the_index_lags(story):
    story.play("claim", "fall_behind", "end")
    found = page(story)
    assert (numbers(found.events), found.has_more) == ([1, 2], True)


def test_a_wait_for_an_event_ends_with_it(world):
    world.clock = EventfulClock()
    story = Story(world)
    world.clock.deeds = [story.rest, story.claim]
    assert numbers(page(story, after=1, wait_seconds=20).events) == [2]
    assert world.clock.now() < later(seconds=6)


def test_a_wait_for_an_event_ends_with_its_time(story):
    assert page(story, after=1, wait_seconds=5).events == ()
    assert later(seconds=4) <= story.world.clock.now() <= later(seconds=5)


def test_the_end_is_not_waited_for(story):
    story.play("end")
    before = story.world.clock.now()
    assert not page(story, after=2, wait_seconds=20).has_more
    assert story.world.clock.now() == before


def test_the_events_of_no_run_are_refused(world, story):
    world.runs.records.clear()
    with pytest.raises(RunNotFound):
        page(story)
