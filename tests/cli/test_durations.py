"""Durations and moments, as people write and read them."""

from datetime import UTC, datetime, timedelta

import pytest

from outpost_cli.durations import format_duration, format_size, parse_coming_moment, parse_duration, parse_moment
from outpost_cli.errors import UsageRefused

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("600", 600), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061)],
)
def test_a_duration_is_read_in_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "10 m", "1m1h", "-5", "1.5h", "10x", "\u0661\u0660"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageRefused, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_utc(text, moment):
    assert parse_moment(text, now=NOW) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2h", NOW + timedelta(hours=2)), ("2027-01-02T03:04:05Z", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))],
)
def test_a_coming_moment_is_read_from_now_on(text, moment):
    assert parse_coming_moment(text, now=NOW) == moment


def test_what_is_no_moment_is_refused():
    with pytest.raises(UsageRefused, match="is not a time"):
        parse_moment("yesterday", now=NOW)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (-3, "0s"), (4.4, "4s"), (125, "2m 5s"), (3600, "1h"), (93_784, "1d 2h")]
)
def test_a_duration_is_written_in_two_units_at_most(seconds, text):
    assert format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3072.0 GiB")]
)
def test_a_size_is_written_with_its_unit(size, text):
    assert format_size(size) == text
