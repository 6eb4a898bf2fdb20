"""The texts that stand for a secret: as it is, escaped for an address or for JSON, in Base64 and in hexadecimal."""

import base64
import json
import re
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

SHORTEST_SECRET = 4
SHORTEST_LINE = 8
# Encoders break their lines wherever they like (`base64` after 76 characters), so pieces are what can be found.
PIECE_CHARACTERS = 16
# What other encoders of addresses leave as it is: a path's, JavaScript's for a component and for a whole address.
SAFE_IN_ADDRESSES = ("", "/", "!*'()", ";,/?:@&=+$!*'()#")
JSON_LEVELS = 2
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
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= SHORTEST_LINE}
    escaped = chain.from_iterable((*_escape_for_addresses(text), *_escape_for_json(text)) for text in texts | lines)
    short = {text for text in encoded if len(text) < PIECE_CHARACTERS}
    return Spellings(frozenset({*escaped, *short}), frozenset(encoded - short))


def _escape_for_addresses(text: str) -> set[str]:
    data = text.encode(errors="replace")
    upper = {quote(data, safe=safe) for safe in SAFE_IN_ADDRESSES}
    upper |= {spelling.replace("%20", "+") for spelling in upper}
    upper.add("".join(f"%{byte:02X}" for byte in data))
    return upper | {UPPER_ESCAPE.sub(lambda escape: escape[0].lower(), spelling) for spelling in upper}


def _escape_for_json(text: str) -> set[str]:
    """Also as JSON in JSON, which is how agents tell of a tool's answer."""
    found, spellings = {text}, {text}
    for _ in range(JSON_LEVELS):
        spellings = {
            json.dumps(spelling, ensure_ascii=escaped)[1:-1] for spelling in spellings for escaped in (True, False)
        }
        found |= spellings
    return found


def _encode(data: bytes) -> set[str]:
    """In hexadecimal, and in Base64 wherever the secret begins and whether or not something follows it."""
    found = {data.hex(), data.hex().upper()}
    for offset, (decided_before, shared_bits) in enumerate(ALIGNMENTS):
        at_the_end = base64.b64encode(bytes(offset) + data).decode().rstrip("=")[decided_before:]
        before_more = at_the_end[: (len(data) * 8 - shared_bits) // 6]
        found |= {at_the_end, before_more, at_the_end.translate(URL_SAFE), before_more.translate(URL_SAFE)}
    return found
