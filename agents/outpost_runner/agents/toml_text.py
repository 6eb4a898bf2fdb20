"""Writes the TOML of configuration files."""

import json
from collections.abc import Mapping, Sequence

TomlValue = str | int | bool | Sequence[str]


def write_toml(tables: Mapping[Sequence[str], Mapping[str, TomlValue]]) -> str:
    """Tables by their path; the empty path is the document's top and comes first.

    Text, numbers, truth and lists of text are written alike in TOML and in JSON, and any key may be in quotes.
    """
    lines: list[str] = []
    for path, values in tables.items():
        if path:
            lines.append(f"[{'.'.join(_encode(key) for key in path)}]")
        lines += [f"{_encode(key)} = {_encode(value)}" for key, value in values.items()]
    return "\n".join([*lines, ""])


_encode = json.JSONEncoder(ensure_ascii=False).encode
