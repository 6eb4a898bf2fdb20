"""What has been told of a stream, so that nothing is told twice when it begins again or repeats itself."""

import hashlib
from collections import Counter


class Recollection:
    """Remembers items by their digests: a whole log is short then.

    The same item may rightly come twice (two equal lines in one millisecond), so items are counted: after a new
    beginning each is expected as often as it was told.
    """

    def __init__(self) -> None:
        self._told: Counter[bytes] = Counter()
        self._expected: Counter[bytes] = Counter()
        self._deliveries: set[bytes] = set()

    def begin_again(self) -> None:
        """From now on all that was told comes again."""
        self._expected = Counter(self._told)
        self._deliveries.clear()

    def is_repeated(self, *delivery: str) -> bool:
        """Whether this very message, with its id, came before since the beginning."""
        digest = make_digest(*delivery)
        if digest in self._deliveries:
            return True
        self._deliveries.add(digest)
        return False

    def is_new(self, *item: str) -> bool:
        """Whether the item is to be told now."""
        digest = make_digest(*item)
        if self._expected[digest] > 0:
            self._expected[digest] -= 1
            return False
        self._told[digest] += 1
        return True


def make_digest(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=16).digest()
