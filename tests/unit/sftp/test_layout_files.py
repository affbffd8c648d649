"""Layout files: what is wrong in one is said, every one is documented, and one more CIS is one more file."""

from pathlib import Path

import pytest

from adapters.cis_flatfile.settings import LAYOUTS
from canonical.billing import BillingPart
from canonical.errors import MisconfiguredError
from services.reference_docs import LAYOUTS_BELOW, layouts_page
from sftp.formats import billing_drop
from sftp.layout import STANDARD, read_layout
from sftp.layout_page import pages
from sftp.layout_tally import Tally

ROOT = Path(__file__).resolve().parents[3]
FILES = [*sorted(STANDARD.glob("*.toml")), *sorted(LAYOUTS.glob("*.toml"))]
GOLDEN = ROOT / "adapters" / "cis_flatfile" / "golden"


def test_the_page_of_layouts_says_what_the_layout_files_say() -> None:
    text = (ROOT / "docs" / "layouts.md").read_text(encoding="utf-8")

    assert text.endswith(LAYOUTS_BELOW + pages([read_layout(path) for path in FILES]))
    assert layouts_page(ROOT) == text


def test_a_second_cis_is_a_layout_file_alone() -> None:
    part = billing_drop.part_from_bytes((GOLDEN / "drop_with_exchange_net_and_no_read" / "wire.dat").read_bytes())
    layout = read_layout(LAYOUTS / "reading_order_upload.toml")

    wire = billing_drop.part_to_bytes(part, upload=layout)

    assert wire == (GOLDEN / "reading_order_upload" / "wire.dat").read_bytes()
    packages = ("canonical", "sftp", "adapters", "flows", "services", "store")
    named = [p for name in packages for p in (ROOT / name).rglob("*.py") if layout.layout_id in p.read_text()]
    assert named == []


def test_an_upload_states_its_own_control_totals() -> None:
    part = billing_drop.part_from_bytes((GOLDEN / "drop_with_exchange_net_and_no_read" / "wire.dat").read_bytes())
    layout = read_layout(LAYOUTS / "reading_order_upload.toml")
    tally = Tally(layout)

    chunks = b"".join(billing_drop.write(part.header, part.determinants, part.closing, upload=layout, tally=tally))

    assert tally.records == {"00": 1, "10": 3, "20": 4, "30": 1, "40": 1, "99": 1}
    assert str(tally.totals["20"]) in chunks.decode()


def test_another_layout_of_the_drop_needs_no_code_either(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text((LAYOUTS / "reading_order_upload.toml").read_text().replace('= "99"', '= "ZZ"'))
    part = billing_drop.part_from_bytes((GOLDEN / "drop_with_exchange_net_and_no_read" / "wire.dat").read_bytes())

    wire = billing_drop.part_to_bytes(BillingPart(part.header, ()), upload=read_layout(file), form="delimited")

    assert wire.decode().splitlines()[-1].startswith("ZZ|0|0|0|0|")


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ('tag = "REQ"', 'tag = "HDR"', "two records"),
        ('type = "int"', 'type = "integer"', "no type"),
        ('scope = "trailer"', 'scope = "item"', "trailer"),
        ('parent = "SVC"', 'parent = "SVX"', "SVX"),
        ("version = 1", "version = ", "Invalid"),
    ],
)
def test_what_is_wrong_in_a_layout_file_is_said(tmp_path: Path, good: str, bad: str, named: str) -> None:
    source = "billing_drop" if "SVC" in good else "billing_request"
    file = tmp_path / "layout.toml"
    file.write_text((STANDARD / f"{source}.toml").read_text().replace(good, bad))

    with pytest.raises(MisconfiguredError, match=named):
        read_layout(file)
