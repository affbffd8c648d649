"""The qualities of a reading on the wire: the source's own codes where they are CIM's, else one that means the same."""

import re
from functools import lru_cache

from canonical.quality import Quality
from iec61968.dialects.quality import quality_of
from iec61968.nouns.columns import QualityMark

_CODE = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_VALIDATED = "3.0.1"

_MEANING = {
    Quality.ESTIMATED: "3.8.0",
    Quality.FINAL_SUBSTITUTE: "3.8.0",
    Quality.SUBSTITUTED: "3.8.0",
    Quality.PRELIMINARY: "3.12.0",
    Quality.EDITED: "3.7.0",
    Quality.QUESTIONABLE: "3.10.0",
    Quality.MISSING: "2.5.259",
    Quality.UNUSABLE: "3.7.3",
    Quality.CUSTOMER: "2.4.130",
}
"""Code by which a quality is told whose source has none of CIM's own; CIM does not tell raw from validated."""


_NOT_TOLD_APART = (Quality.RAW, Quality.MISSING)
"""Qualities that show elsewhere (a value that is not there) or that CIM has no code for: the source's codes stand."""


@lru_cache(maxsize=10_000)
def marks_of(quality: Quality, own: str) -> tuple[QualityMark, ...]:
    """Return the qualities of a reading; codes of another trade stand in the comment of the one that means the same."""
    codes = own.split()
    is_cim = all(_CODE.fullmatch(code) for code in codes)
    marks = tuple(QualityMark(code) for code in codes)
    if is_cim and ((marks and quality in _NOT_TOLD_APART) or quality_of(marks)[0] is quality):
        return marks
    if is_cim and quality is Quality.RAW:
        return ()
    meaning = _MEANING.get(quality, _VALIDATED)
    return (QualityMark(meaning, "" if is_cim else own),)
