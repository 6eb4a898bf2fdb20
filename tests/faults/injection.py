"""Injection points: every call that a scenario makes, and the one of them that is made to fail."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
READS = ("Get", "Query", "Scan", "BatchGet", "Describe", "List")


class Fault(StrEnum):
    """What happens to a call."""

    NO_EFFECT = "fails without effect"
    ANSWER_LOST = "its answer is lost after its effect"
    CALLER_DIES = "its caller dies after its effect"
    REPEATED = "its answer is lost and the SDK repeats it"


class ProcessDied(BaseException):
    """The process of a function ends between two of its calls; nothing in it can catch that."""


@dataclass(frozen=True)
class Call:
    """One call of a scenario: who made it, which, and for the how manieth time."""

    caller: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.caller}: {self.name} #{self.number}"


@dataclass(frozen=True)
class Point:
    """A call of a scenario, by its place in it, and what happens to it."""

    scenario: str
    index: int
    call: Call
    fault: Fault

    def __str__(self) -> str:
        return f"{self.scenario}: {self.call} {self.fault}"


@dataclass(frozen=True)
class Circumstances:
    """What a call met: calls that agree in all of it are the same fault twice."""

    caller: str
    name: str
    before: str
    situation: str
    is_of_a_function: bool

    @property
    def is_read(self) -> bool:
        return self.is_of_a_function and self.name.rpartition(".")[2].startswith(READS)

    def faults(self) -> list[Fault]:
        """Only a function can die between two calls, and only after a write does it matter.

        A transaction that the SDK repeats carries the same client token, by which DynamoDB knows it: nothing happens.
        """
        if not self.is_of_a_function or self.is_read:
            return [Fault.NO_EFFECT, Fault.ANSWER_LOST]
        is_known_again = self.name.endswith(".TransactWriteItems")
        return [fault for fault in Fault if fault is not Fault.REPEATED or not is_known_again]


@dataclass
class Injector:
    """Lets every call pass but the one at the point, and lists them all; `situation` says how things stand."""

    point: Point | None = None
    situation: Callable[[], str] = lambda: ""
    calls: list[Call] = field(default_factory=list)
    _is_open: bool = True
    _met: list[Circumstances] = field(default_factory=list)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def make(
        self,
        caller: str,
        name: str,
        effect: Callable[[], T],
        *,
        refused: BaseException,
        lost: BaseException,
        is_of_a_function: bool = False,
    ) -> T:
        """The effect's answer, or the error by which its caller sees the fault."""
        fault = self._next_fault(caller, name, is_of_a_function)
        if fault is Fault.NO_EFFECT:
            raise refused
        answer = effect()
        if fault is Fault.REPEATED:
            return effect()
        if fault is Fault.ANSWER_LOST:
            raise lost
        if fault is Fault.CALLER_DIES:
            raise ProcessDied
        return answer

    @contextmanager
    def closed(self) -> Iterator[None]:
        """What is called meanwhile is no part of the scenario."""
        was_open, self._is_open = self._is_open, False
        yield
        self._is_open = was_open

    def points(self, scenario: str) -> list[Point]:
        """Every fault of every call that was made."""
        return [
            Point(scenario, index, call, fault)
            for index, call in enumerate(self.calls)
            for fault in self._met[index].faults()
        ]

    def distinct_points(self, scenario: str, known: set[object]) -> list[Point]:
        """Of the points those that are not yet known: a call that is met as before fails as before.

        A read's lost answer is its failure, and a read that fails is repeated in every scenario alike.
        """
        chosen = []
        for point in self.points(scenario):
            met = self._met[point.index]
            if met.is_read and point.fault is Fault.ANSWER_LOST:
                continue
            mark = (met, point.fault, "" if met.is_read else scenario)
            if mark not in known:
                known.add(mark)
                chosen.append(point)
        return chosen

    def has_struck(self) -> bool:
        return self.point is not None and len(self.calls) > self.point.index

    def _next_fault(self, caller: str, name: str, is_of_a_function: bool) -> Fault | None:
        if not self._is_open:
            return None
        self._counts[caller, name] += 1
        call = Call(caller, name, self._counts[caller, name])
        before = self.calls[-1].name if self.calls else ""
        self.calls.append(call)
        if self.point is None:
            self._met.append(Circumstances(caller, name, before, self.situation(), is_of_a_function))
            return None
        if self.point.index != len(self.calls) - 1:
            return None
        if self.point.call != call:
            raise AssertionError(f"the scenario is not the same each time: {call} where {self.point.call} was")
        return self.point.fault
