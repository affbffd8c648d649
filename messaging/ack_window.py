"""Which letters of one channel are under way, and the fewest acknowledgements that say which have ended."""

from collections import OrderedDict
from collections.abc import Iterator


class AckWindow:
    """Delivery tags in the order of their delivery; ended ones leave as runs: one `multiple` for a whole run."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._open: OrderedDict[int, bool] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are not acknowledged."""
        return len(self._open)

    def begin(self, tag: int) -> None:
        """Note a delivery."""
        self._open[tag] = False

    def end(self, tag: int) -> None:
        """Note that a delivery may be acknowledged."""
        self._open[tag] = True

    def take(self) -> Iterator[tuple[int, bool]]:
        """Yield what is to be acknowledged now as tag and `multiple`, and forget it.

        A run from the oldest delivery on goes as one; what ended before an older one did goes by itself.
        """
        last = 0
        while self._open and self._open[next(iter(self._open))]:
            last = self._open.popitem(last=False)[0]
        if last:
            yield last, True
        for tag in [tag for tag, ended in self._open.items() if ended]:
            del self._open[tag]
            yield tag, False
