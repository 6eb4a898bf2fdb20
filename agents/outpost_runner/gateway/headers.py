"""Which headers pass in which direction, and how the agent's side shows that it may use the gateway."""

import hmac
from collections.abc import Iterator, Mapping
from email.message import Message

BETA = "anthropic-beta"
# The rest stays here: cookies and credentials, who and where the client is, and what would steer the provider past the
# gateway's checks, such as x-grok-model-override or x-http-method-override.
PASSED_REQUEST_HEADERS = (
    *("accept", "content-type", "user-agent"),
    *("anthropic-version", BETA, "x-goog-api-client"),
)
# The rest stays here: cookies, hop-by-hop headers, and whose account it is that pays.
PASSED_ANSWER_HEADERS = (
    *("content-type", "request-id", "x-request-id"),
    *("retry-after", "retry-after-ms", "x-should-retry"),
)
PASSED_ANSWER_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-")
DUMMY_KEY_HEADERS = ("x-api-key", "x-goog-api-key")
KEY_PARAMETER = "key"
# Prompts beyond 200,000 tokens and speed have a higher price, and the figures of an answer leave out what it cost to
# compact its prompt.
DEARER_BETAS = ("context-1m-", "fast-mode-", "compact-")


def request_headers(headers: Message) -> dict[str, str]:
    """What the provider gets besides its key. Usage cannot be read off a compressed answer: none is asked for."""
    passed = {name: _unfold(str(headers[name])) for name in PASSED_REQUEST_HEADERS if name in headers}
    if BETA in passed:
        passed[BETA] = ",".join(_list_betas(passed[BETA]))
    return {**{name: value for name, value in passed.items() if value}, "accept-encoding": "identity"}


def answer_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What the client gets; the names are in lower case."""
    for name, value in headers.items():
        if name in PASSED_ANSWER_HEADERS or name.startswith(PASSED_ANSWER_PREFIXES):
            yield name, value


def _unfold(value: str) -> str:
    """In one line, however many the client wrote it in (RFC 9112, 5.2)."""
    return " ".join(value.split())


def _list_betas(value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    return [name for name in names if name and not name.lower().startswith(DEARER_BETAS)]


def shows_key(headers: Message, parameters: list[tuple[str, str]], dummy_key: str) -> bool:
    """Whether the dummy key is anywhere that a client of one of the providers puts its key."""
    shown = [str(headers[name]) for name in DUMMY_KEY_HEADERS if name in headers]
    shown.append(str(headers.get("authorization", "")).removeprefix("Bearer "))
    shown += [value for name, value in parameters if name == KEY_PARAMETER]
    return any(hmac.compare_digest(key.encode(), dummy_key.encode()) for key in shown)
