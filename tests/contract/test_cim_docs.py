"""docs/adapters/cim.md says what there is."""

from pathlib import Path

from iec61968.dialects.events import DIALECTS
from iec61968.services_spoken import KINDS
from services.cim_docs import nouns_table


def test_the_page_names_every_noun_kind_and_dialect() -> None:
    page = Path("docs/adapters/cim.md").read_text()

    assert nouns_table() in page
    assert all(f"`{kind}<Noun>`" in page for kind in KINDS)
    assert all(f"`{dialect}`" in page for dialect in DIALECTS)
