"""Whatever a message says: it is understood, refused object by object, or refused by a code; never anything else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cim_meaning import meant, meant_xml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from canonical.customers import CustomerAgreement
from canonical.errors import RejectedError
from canonical.master_data import MasterData
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import MASTER_NOUNS, master_data_from_wire
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.samples import sample_message
from iec61968.spoken_nouns import NOUNS

pytestmark = pytest.mark.slow

VERBS = ("create", "change", "close", "delete", "cancel")
ODD = ("", "-1", "NaN", "INF", "1e400", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-03-01T00:00:00", "ä", "0")
OLD_DAYS = MasterDataReading(granularity="day", zone="America/Toronto", day_belongs_to="old", linkage_time="effective")


def understood(root: etree._Element, own: MasterDataReading) -> MasterData | None:
    """Return what a message means, None where it is refused."""
    try:
        wire = message_from_xml(root)
        return master_data_from_wire(wire, source="cis", conventions=own, strict=False).payload
    except RejectedError:
        return None


@pytest.mark.parametrize("noun", MASTER_NOUNS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("full", [True, False])
def test_every_sample_is_understood_or_refused_by_a_code(noun: str, verb: str, full: bool) -> None:
    kind: Any = "request"
    root = sample_message(NOUNS[noun], kind=kind, edition=EDITIONS["2011"], full=full, verb=verb)

    for own in (MasterDataReading(), OLD_DAYS):
        understood(root, own)


@pytest.mark.parametrize("noun", MASTER_NOUNS)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(data=st.data())
def test_a_sample_with_odd_values_is_understood_or_refused_by_a_code(noun: str, data: Any) -> None:
    verb = data.draw(st.sampled_from(VERBS))
    root = sample_message(NOUNS[noun], kind="request", edition=EDITIONS["2011"], full=True, verb=verb)
    payload = next(one for one in root if etree.QName(one).localname == "Payload")
    leaves = [one for one in payload.iter(etree.Element) if not len(one)]
    for leaf in data.draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=4)):
        leaf.text = data.draw(st.sampled_from(ODD))
    for gone in data.draw(st.lists(st.sampled_from(leaves), max_size=3, unique=True)):
        parent = gone.getparent()
        if parent is not None:
            parent.remove(gone)

    found = understood(root, data.draw(st.sampled_from((MasterDataReading(), OLD_DAYS))))

    assert found is None or found.things or found.refused


def test_an_agreement_until_the_year_9999_has_no_end() -> None:
    (found,) = meant(
        "CustomerAgreementConfig", {"id": "SA", "start": "2026-03-01T05:00:00Z", "end": "9999-12-31T23:59:59Z"},
        own=OLD_DAYS,
    ).things  # fmt: skip

    assert isinstance(found, CustomerAgreement)
    assert (found.valid_from, found.valid_to) == (datetime(2026, 3, 2, 5, tzinfo=UTC), None)


def test_elements_of_a_vendor_are_passed_over() -> None:
    xml = (
        '<CustomerConfig xmlns="http://iec.ch/TC57/2011/CustomerConfig#"><Customer><mRID>c-1</mRID><loyalty>gold</loyalty>'
        '<x:vip xmlns:x="urn:vendor">7</x:vip></Customer><Banner>hello</Banner></CustomerConfig>'
    )

    assert len(meant_xml("CustomerConfig", xml).things) == 1
