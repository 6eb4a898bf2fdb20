"""The texts that stand for a secret: as it is, escaped for an address or for JSON, in Base64 and in hexadecimal."""

import base64
import json
import re
from dataclasses import dataclass
from functools import partial
from itertools import chain
from urllib.parse import quote

SHORTEST_SECRET = 4
# A shorter line tells little of a secret that has longer ones.
SHORTEST_LINE = 8
# Encoders break their lines wherever they like (`base64` after 76 characters), so pieces are what can be found.
PIECE_CHARACTERS = 16
# What other encoders of addresses leave as it is: a path's, JavaScript's for a component and for a whole address.
SAFE_IN_ADDRESSES = ("", "/", "!*'()", ";,/?:@&=+$!*'()#")
# What encoders of JSON escape beside what they must: nothing (JavaScript, Python), what means something in HTML (Go,
# with more of it Gson and .NET), the slash (PHP).
ESCAPED_IN_JSON = ("", "<>&\u2028\u2029", "<>&='\u2028\u2029", "<>&'+`\"", "/")
SLASH = "/"
JSON_TOKEN = re.compile(r"\\(?:u.{4}|.)|[" + "".join(ESCAPED_IN_JSON) + "]")
UPPER_ESCAPE = re.compile("%[0-9A-F]{2}")
URL_SAFE = str.maketrans("+/", "-_")
# By the bytes before the secret in a group of three: the characters that those decide, and the bits of the secret
# that the last of them takes.
ALIGNMENTS = ((0, 0), (2, 4), (3, 2))


@dataclass(frozen=True)
class Spellings:
    """`whole` texts are to be hidden as they are, of `encoded` ones each piece of PIECE_CHARACTERS or more."""

    whole: frozenset[str]
    encoded: frozenset[str]


def spell(secret: str) -> Spellings:
    """Every spelling; none of a secret that is so short that hiding it would only deface ordinary words."""
    texts = {text for text in (secret, secret.strip()) if len(text) >= SHORTEST_SECRET}
    encoded = set(chain.from_iterable(_encode(text.encode(errors="replace")) for text in texts))
    hidden = texts | _select_lines(secret)
    escaped = chain.from_iterable((*_escape_for_addresses(text), *_escape_for_json(text)) for text in hidden)
    short = {text for text in encoded if len(text) < PIECE_CHARACTERS}
    return Spellings(frozenset({*escaped, *short}), frozenset(encoded - short))


def _select_lines(secret: str) -> set[str]:
    """Those that are hidden wherever they come by themselves, as they do when two reads divide the secret."""
    lines = {line.strip() for line in secret.splitlines()}
    long = {line for line in lines if len(line) >= SHORTEST_LINE}
    return long or {line for line in lines if len(line) >= SHORTEST_SECRET}


def _escape_for_addresses(text: str) -> set[str]:
    data = text.encode(errors="replace")
    upper = {quote(data, safe=safe) for safe in SAFE_IN_ADDRESSES}
    upper |= {spelling.replace("%20", "+") for spelling in upper}
    upper.add("".join(f"%{byte:02X}" for byte in data))
    return upper | {UPPER_ESCAPE.sub(lambda escape: escape[0].lower(), spelling) for spelling in upper}


def _escape_for_json(text: str) -> set[str]:
    """Also as JSON in JSON, which is how agents tell of a tool's answer: they escape nothing beside what they must."""
    plain = _write_json(text)
    once = {JSON_TOKEN.sub(partial(_escape_more, more), written) for written in plain for more in ESCAPED_IN_JSON}
    once |= {JSON_TOKEN.sub(_raise_digits, written) for written in once}
    return {text, *once, *chain.from_iterable(map(_write_json, once))}


def _write_json(text: str) -> set[str]:
    return {json.dumps(text, ensure_ascii=ensure_ascii)[1:-1] for ensure_ascii in (True, False)}


def _escape_more(more: str, token: re.Match[str]) -> str:
    character = token[0][-1]
    if character not in more:
        return token[0]
    return f"\\{SLASH}" if character == SLASH else f"\\u{ord(character):04x}"


def _raise_digits(token: re.Match[str]) -> str:
    """Hexadecimal digits as capitals."""
    return token[0][:2] + token[0][2:].upper()


def _encode(data: bytes) -> set[str]:
    """In hexadecimal, and in Base64 wherever the secret begins and whether or not something follows it."""
    found = {data.hex(), data.hex().upper()}
    for offset, (decided_before, shared_bits) in enumerate(ALIGNMENTS):
        at_the_end = base64.b64encode(bytes(offset) + data).decode().rstrip("=")[decided_before:]
        before_more = at_the_end[: (len(data) * 8 - shared_bits) // 6]
        found |= {at_the_end, before_more, at_the_end.translate(URL_SAFE), before_more.translate(URL_SAFE)}
    return found
