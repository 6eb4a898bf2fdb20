"""A person as git names one."""

import re
from dataclasses import dataclass

MOST_CHARACTERS = 256
# Source: the addresses that HTML takes ("valid e-mail address"), here with a dot in the domain.
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
_NAMED = re.compile(rf"([^<>]*)<({_ADDRESS})>\s*")
_ALONE = re.compile(rf"\s*({_ADDRESS})\s*")


@dataclass(frozen=True)
class Person:
    """Somebody with a name and an address, neither of which can end the line or the brackets of a trailer."""

    name: str
    email: str


def read_person(text: str) -> Person | None:
    """The person of `Name <address>`, or of an address alone, which is named by its first part; None for other text."""
    if len(text) > MOST_CHARACTERS:
        return None
    if alone := _ALONE.fullmatch(text):
        return Person(alone[1].partition("@")[0], alone[1])
    named = _NAMED.fullmatch(text)
    name = named[1].strip() if named else ""
    return Person(name, named[2]) if named and name and name.isprintable() else None
