"""The provider of one agent's models: answers with what a script says, in the agent's own protocol and tools."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...agents.gateway.dialects import Tokens, deepseek_usage, xai_usage
from ...agents.gateway.scripted_provider import Reply, ScriptedProvider, Seen, as_json
from .anthropic_messages import AnthropicMessages
from .google_generate import GoogleGenerateContent
from .openai_chat import OpenAiChat
from .openai_responses import OpenAiResponses
from .protocol import Answer, ModelProtocol
from .steps import Read, Refuse, Say, Step
from .tools import AUXILIARY_TOOLS, Tools, call_tool, find_workspace, tell

PROTOCOLS: dict[str, ModelProtocol] = {
    "anthropic": AnthropicMessages(),
    "openai": OpenAiResponses(),
    "google": GoogleGenerateContent(),
    "deepseek": OpenAiChat(deepseek_usage, has_usage_beside_choice=True),
    "xai": OpenAiChat(xai_usage),
}
# Their protocols have a figure for what is written to a cache.
CACHE_WRITERS = frozenset({"anthropic", "openai", "xai"})
KEY_HEADERS = ("x-api-key", "x-goog-api-key", "authorization")
AUXILIARY_TOKENS = Tokens(fresh=50, visible=5)
AUXILIARY_ANSWER = "A title"
HELD_BLOCK = 3


@dataclass(frozen=True)
class Sent:
    """What one answer has counted for."""

    model: str
    tokens: Tokens


@dataclass
class Script:
    """The steps that are left, the last one for ever, and what came of the others."""

    steps: deque[Step]
    answers: int = 0
    requests: list[Seen] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    is_holding: threading.Event = field(default_factory=threading.Event)
    was_left: threading.Event = field(default_factory=threading.Event)

    def take(self) -> Step:
        return self.steps.popleft() if len(self.steps) > 1 else self.steps[0]

    def take_turn(self) -> Iterator[Step]:
        """The steps up to one after which it is somebody else's turn."""
        while True:
            is_last = len(self.steps) == 1
            step = self.take()
            yield step
            if is_last or isinstance(step, Say | Read | Refuse):
                return

    def is_over(self) -> bool:
        """Whether the provider refuses whatever is asked from now on."""
        return len(self.steps) == 1 and isinstance(self.steps[0], Refuse)

    def texts(self) -> list[str]:
        """Every text in the requests that came, wherever it stood in them."""
        return [text for seen in self.requests for text in _texts(seen.fields)]

    def keys(self) -> set[str]:
        """Every key that was shown."""
        return {key for seen in self.requests for key in _keys(seen)}


class ModelProvider(ScriptedProvider):
    """Takes no key but `key`. An answer's figures are its own, so that a sum tells which answers were counted."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__()
        self.name = name
        self.key = key
        self._protocol = PROTOCOLS[name]
        self.script = Script(deque())
        # Requests that it could make nothing of: the agent was told nothing then.
        self.defects: list[Exception] = []

    def play(self, *steps: Step) -> Script:
        """From now on answer as these steps say."""
        self.script = Script(deque(steps))
        return self.script

    def next_reply(self, seen: Seen) -> Reply:
        with self._lock:
            script = self.script
            script.requests.append(seen)
            try:
                reply = self._make_reply(script, seen)
            except Exception as defect:
                self.defects.append(defect)
                raise
            self.replies.append(reply)
            return reply

    def _make_reply(self, script: Script, seen: Seen) -> Reply:
        tools = self._protocol.tools(seen.fields)
        if self.key not in _keys(seen):
            return as_json(self._protocol.error(401), status=401)
        if tools and not tools.keys() - AUXILIARY_TOOLS and not script.is_over():
            answer = Answer(0, _find_model(seen), AUXILIARY_TOKENS, AUXILIARY_ANSWER)
            return self._answer(script, seen, answer, Say(AUXILIARY_ANSWER))
        steps = [script.take()] if tools else list(script.take_turn())
        step = steps[-1]
        if isinstance(step, Refuse):
            return as_json(self._protocol.error(step.status), status=step.status, headers=step.headers)
        script.answers += 1
        return self._answer(script, seen, self._make_answer(script, seen, tools, steps), step)

    def _make_answer(self, script: Script, seen: Seen, tools: Tools, steps: list[Step]) -> Answer:
        number = script.answers
        written = 3 * number if self.name in CACHE_WRITERS else 0
        tokens = steps[-1].tokens or Tokens(1000 + number, 200 + 10 * number, written, 30 + number, 7)
        model = _find_model(seen)
        if not tools or isinstance(steps[-1], Say):
            return Answer(number, model, tokens, text=tell(steps))
        workspace = find_workspace(seen.body.decode())
        return Answer(number, model, tokens, call=call_tool(steps[-1], tools, workspace))

    def _answer(self, script: Script, seen: Seen, answer: Answer, step: Step) -> Reply:
        script.sent.append(Sent(answer.model, answer.tokens))
        if not (seen.fields.get("stream") or ":streamGenerateContent" in seen.target):
            return as_json(self._protocol.whole(answer))
        return Reply(
            list(self._protocol.events(answer)),
            pause_seconds=step.pause_seconds,
            held_at=HELD_BLOCK if step.is_held else None,
            is_holding=script.is_holding,
            was_left=script.was_left,
        )


def _keys(seen: Seen) -> set[str]:
    headers = [seen.headers.get(name) for name in KEY_HEADERS]
    return {header.removeprefix("Bearer ") for header in headers if header is not None}


def _find_model(seen: Seen) -> str:
    """In the path for Google, in the body for all others."""
    in_path = seen.target.partition("/models/")[2].partition(":")[0]
    return in_path or str(seen.fields["model"])


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)
