"""Durations and moments, as people write and read them."""

import re
from datetime import UTC, datetime, timedelta

from outpost_cli.errors import UsageRefused

UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
BYTES_PER_STEP = 1024
DURATION = re.compile(r"(?:(?P<d>\d{1,6})d)?(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,7})s)?")
HOW_TO_WRITE_A_DURATION = "Write seconds (600) or units (90s, 10m, 1h30m, 2d)."


def parse_duration(text: str) -> int:
    """Seconds of `600`, `90s`, `10m`, `1h30m` or `2d`. Raises UsageRefused."""
    if re.fullmatch(r"\d{1,7}", text, re.ASCII):
        return int(text)
    match = DURATION.fullmatch(text)
    if not text or match is None:
        raise UsageRefused(f"{text!r} is not a duration.", remedy=HOW_TO_WRITE_A_DURATION)
    return sum(int(count) * UNIT_SECONDS[unit] for unit, count in match.groupdict().items() if count)


def parse_optional_duration(text: str | None) -> int | None:
    return None if text is None else parse_duration(text)


def parse_moment(text: str, *, now: datetime) -> datetime:
    """A time in RFC 3339 (local time when it names no zone), or how long ago: `2h`. Raises UsageRefused."""
    if DURATION.fullmatch(text) and text:
        return now - timedelta(seconds=parse_duration(text))
    return parse_time(text, or_else="how long ago: 2h, 3d")


def parse_coming_moment(text: str, *, now: datetime) -> datetime:
    """The same with how long from now."""
    if DURATION.fullmatch(text) and text:
        return now + timedelta(seconds=parse_duration(text))
    return parse_time(text, or_else="how long from now: 12h, 30d")


def parse_time(text: str, *, or_else: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise UsageRefused(
            f"{text!r} is not a time.", remedy=f"Write 2026-01-31T12:00:00Z, 2026-01-31, or {or_else}."
        ) from error


def format_moment(moment: datetime) -> str:
    """A time as the API takes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_duration(duration: timedelta) -> str:
    """Two units at most: `4s`, `2m 5s`, `1h 3m`, `6d 2h`."""
    left = max(0, round(duration.total_seconds()))
    parts: list[str] = []
    for unit, size in UNIT_SECONDS.items():
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def format_size(size_bytes: int) -> str:
    """`512 B`, `1.5 KiB`, `3.2 MiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < BYTES_PER_STEP:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= BYTES_PER_STEP
    return f"{size:.1f} GiB"


def format_local_moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
