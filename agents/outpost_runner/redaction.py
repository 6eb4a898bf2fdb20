"""Keeps the secrets that the runner knows out of everything that it shows."""

import re
from collections.abc import Iterator, Sequence

from outpost_runner.secret_spellings import PIECE_CHARACTERS, Spellings, spell

REPLACEMENT = "[redacted]"
# A probe is a short piece by which a text is known to be worth a closer look. The text is cut into probes from where a
# run of such characters begins, so a spelling's run of twice a probe's length less one holds a probe in any position.
PROBE_CHARACTERS = 8
PROBED_RUN = 2 * PROBE_CHARACTERS - 1
PROBE_CLASS = "[A-Za-z0-9+/_%-]"
# The first character stands alone because the engine then skips what cannot begin a match.
PROBE = re.compile(f"{PROBE_CLASS}{PROBE_CLASS}{{{PROBE_CHARACTERS - 1}}}")
RUN = re.compile(f"{PROBE_CLASS}{{{PROBED_RUN},}}")

Span = tuple[int, int]


class Redactor:
    """Replaces each hidden text, in every spelling that a program commonly gives it.

    It guards against accidents. Somebody who means to show a secret can always spell it in a way of his own.
    """

    def __init__(self) -> None:
        self._spellings: frozenset[Spellings] = frozenset()
        self._search = _Search(self._spellings)

    @property
    def longest(self) -> int:
        """The most bytes that a hidden text takes."""
        return self._search.longest

    def hide(self, *secrets: str) -> None:
        """Hide these texts from now on; one of under four characters would only deface ordinary words."""
        self._spellings |= {spell(secret) for secret in secrets}
        self._search = _Search(self._spellings)

    def redact(self, text: str) -> str:
        found = self._search.find(text)
        return _replace(text, found) if found else text

    def redact_beginning(self, text: str) -> tuple[str, str]:
        """Of a text that goes on: its beginning, redacted, and the rest as it is, which may begin or hold a secret.

        The rest is shorter than twice `longest`.
        """
        search = self._search
        found = search.find(text)
        cut = max(0, len(text) - max(0, search.longest - 1))
        cut = min((start for start, end in found if start < cut < end), default=cut)
        return _replace(text[:cut], [span for span in found if span[0] < cut]), text[cut:]


class _Search:
    """Finds all spellings at once.

    Most text holds none, so the first look is what must be quick: a pass that gathers the probes of the text, and one
    for each of the few spellings that have no probe.
    """

    def __init__(self, spellings: frozenset[Spellings]) -> None:
        whole = {text for one in spellings for text in one.whole}
        encoded = {text for one in spellings for text in one.encoded}
        runs = {text: max(RUN.findall(text), key=len, default="") for text in whole}
        self._unprobed = [text for text, run in runs.items() if not run]
        self._probed = [text for text, run in runs.items() if run]
        # The end of a token tells more than its beginning, which it may share with others.
        self._probes = {probe for run in runs.values() for probe in _cut_into_probes(run[-PROBED_RUN:])}
        self._encoded_probes = {probe for text in encoded for probe in _cut_into_probes(text)}
        # Escaped byte by byte a secret is longer than any piece of it that is encoded.
        self.longest = max([len(text.encode(errors="replace")) for text in whole], default=0)

    def find(self, text: str) -> Sequence[Span]:
        """Where hidden texts are, each one of several that overlap too, in order."""
        found = [span for spelling in self._unprobed if spelling in text for span in _find_each(spelling, text)]
        probes = PROBE.findall(text) if self._probes or self._encoded_probes else []
        if not self._probes.isdisjoint(probes):
            found += [span for spelling in self._probed for span in _find_each(spelling, text)]
        if not self._encoded_probes.isdisjoint(probes):
            found += self._find_encoded(text)
        return sorted(found)

    def _find_encoded(self, text: str) -> Iterator[Span]:
        """Pieces that overlap and together cover each stretch of an encoded secret."""
        known, end = self._encoded_probes, 0
        for probe in PROBE.finditer(text):
            if probe.start() < end or probe[0] not in known:
                continue
            first = last = probe.start()
            while first > 0 and text[first - 1 : first - 1 + PROBE_CHARACTERS] in known:
                first -= 1
            while text[last + 1 : last + 1 + PROBE_CHARACTERS] in known:
                last += 1
            end = last + PROBE_CHARACTERS
            for piece_end in range(end, first + PIECE_CHARACTERS - 1, -PROBE_CHARACTERS):
                yield piece_end - PIECE_CHARACTERS, piece_end
            if end - first >= PIECE_CHARACTERS:
                yield first, first + PIECE_CHARACTERS


def _cut_into_probes(text: str) -> Iterator[str]:
    return (text[start : start + PROBE_CHARACTERS] for start in range(len(text) - PROBE_CHARACTERS + 1))


def _find_each(spelling: str, text: str) -> Iterator[Span]:
    start = text.find(spelling)
    while start >= 0:
        yield start, start + len(spelling)
        start = text.find(spelling, start + 1)


def _replace(text: str, found: Sequence[Span]) -> str:
    """One replacement for all that overlap, in each line of theirs: the lines stay as many as they were."""
    shown: list[str] = []
    position = 0
    for start, end in _merge(found):
        lines = text[start:end].split("\n")
        shown += (text[position:start], "\n".join(REPLACEMENT if line else "" for line in lines))
        position = end
    return "".join([*shown, text[position:]])


def _merge(found: Sequence[Span]) -> Iterator[Span]:
    first = last = 0
    for start, end in found:
        if start >= last:
            if last:
                yield first, last
            first = start
        last = max(last, end)
    if last:
        yield first, last
