"""What the caller is to know of a run beside its results, in sentences."""

from outpost_runner.redaction import Redactor

MAX_CHARACTERS = 200
MAX_NOTICES = 20
UNPRINTABLE = "\ufffd"


class Notices:
    """The first twenty; each of one line, short, and without the secrets that the runner knows."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        """Take the sentence, once."""
        shown = self._shorten(text)
        if shown not in self._texts and len(self._texts) < MAX_NOTICES:
            self._texts.append(shown)

    def texts(self) -> list[str]:
        return list(self._texts)

    def _shorten(self, text: str) -> str:
        line = " ".join(self._redactor.redact(text).split())
        return "".join(each if each.isprintable() else UNPRINTABLE for each in line)[:MAX_CHARACTERS]
