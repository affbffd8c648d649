"""What a reading's quality codes mean in the hub's words, by the table `quality.toml`."""

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

from canonical.quality import Quality
from iec61968.nouns.columns import QualityMark

_WORST_FIRST = (
    Quality.MISSING,
    Quality.UNUSABLE,
    Quality.QUESTIONABLE,
    Quality.PRELIMINARY,
    Quality.ESTIMATED,
    Quality.SUBSTITUTED,
    Quality.FINAL_SUBSTITUTE,
    Quality.EDITED,
    Quality.CUSTOMER,
    Quality.RAW,
    Quality.VALIDATED,
)


@cache
def _table() -> tuple[dict[str, Quality], dict[str, Quality], Quality]:
    """Return the table: by category and index, by category, and for anything else."""
    raw = tomllib.loads((files("iec61968") / "dialects" / "quality.toml").read_text(encoding="utf-8"))
    by_index = {key: Quality(word) for key, word in raw["index"].items()}
    by_category = {key: Quality(word) for key, word in raw["category"].items()}
    return by_index, by_category, Quality(raw["other"])


@lru_cache(maxsize=10_000)
def quality_of_ref(ref: str) -> Quality:
    """Return what one code `system.category.index` means; the system does not matter."""
    by_index, by_category, other = _table()
    parts = ref.split(".")
    if len(parts) != 3:
        return other
    return by_index.get(f"{parts[1]}.{parts[2]}", by_category.get(parts[1], other))


@lru_cache(maxsize=10_000)
def quality_of(marks: tuple[QualityMark, ...]) -> tuple[Quality, str]:
    """Return the hub's word for a reading's qualities (the worst; none is VALIDATED) and its own codes, spaced."""
    if not marks:
        return Quality.VALIDATED, ""
    words = {quality_of_ref(mark.ref) for mark in marks}
    return _worst(words), " ".join(mark.ref for mark in marks)


def _worst(words: Iterable[Quality]) -> Quality:
    return min(words, key=_WORST_FIRST.index)
