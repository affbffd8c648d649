"""Whatever `amihub cim sample` prints is valid by the schemas that other implementations publish, loose and strict."""

from collections.abc import Iterator

import pytest
from lxml import etree
from published_trees import TREES, compiled, profiles

from canonical.errors import RejectedError
from iec61968.editions import EDITIONS
from iec61968.samples import SampleKind, sample_message
from iec61968.services_spoken import EVENT_VERBS, REQUEST_VERBS
from iec61968.spoken_nouns import NOUNS

pytestmark = pytest.mark.skipif(not TREES.exists(), reason="the published element trees are not on this machine")

WITHOUT_GET = {"MasterDataLinkageConfig", "EndDeviceControls", "EndDeviceConfig"}
"""Nouns whose published messages have no query."""
WITHOUT_QUERY = {"UsagePointConfig"}
"""Nouns whose published query has no profile of its own, so that a strict wildcard refuses ours."""


def combinations(name: str, *, strict: bool) -> Iterator[tuple[SampleKind, str, bool]]:
    """Yield kind, verb and fullness of every sample of a noun that the trees describe."""
    requests, events = [v.lower() for v in REQUEST_VERBS], [v.lower() for v in EVENT_VERBS]
    kinds: list[tuple[SampleKind, str]] = [("payload", ""), ("response", ""), ("response", "reply")]
    if not NOUNS[name].is_query:
        kinds += [("request", verb) for verb in ("", *requests)] + [("event", verb) for verb in ("", *events)]
    if name not in WITHOUT_GET and not (strict and name in WITHOUT_QUERY):
        kinds.append(("request", "get"))
    for kind, verb in kinds:
        for full in (False, True):
            yield kind, verb, full


@pytest.mark.parametrize("strict", [False, True], ids=["loose", "strict"])
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_sample_is_valid_by_the_published_trees(edition: str, strict: bool) -> None:
    schema = compiled(EDITIONS[edition], strict=strict)
    refused = []
    for name in profiles():
        for kind, verb, full in combinations(name, strict=strict):
            made = sample_message(NOUNS[name], kind=kind, edition=EDITIONS[edition], full=full, verb=verb)
            if not schema.validate(etree.fromstring(etree.tostring(made))):
                refused.append((name, kind, verb, full, str(schema.error_log)))

    assert refused == []


@pytest.mark.parametrize("wound", ["order", "missing", "namespace", "enumeration", "vendor"])
def test_the_trees_refuse_what_is_not_theirs(wound: str) -> None:
    schema = compiled(EDITIONS["2011"], strict=True)
    root = sample_message(NOUNS["UsagePointConfig"], kind="event", edition=EDITIONS["2011"], full=True)
    point = next(one for one in root.iter("{*}UsagePoint"))
    assert schema.validate(root), schema.error_log

    if wound == "order":
        point.append(point[0])
    elif wound == "missing":
        names = next(point.iter("{*}Names"))
        names.remove(names[0])
    elif wound == "namespace":
        point[0].tag = "mRID"
    elif wound == "enumeration":
        next(point.iter("{*}phaseCode")).text = "XYZ"
    else:
        etree.SubElement(point, "{urn:vendor}x").text = "1"
        point.insert(0, etree.SubElement(point, point[0].tag.replace("mRID", "serial")))

    assert not schema.validate(root)


def test_a_sample_that_no_message_is_like_is_refused() -> None:
    impossible: list[tuple[str, SampleKind, str]] = [
        ("MeterConfig", "response", "created"),
        ("GetMeterConfig", "request", "create"),
        ("GetMeterConfig", "event", "created"),
        ("MeterConfig", "request", "created"),
        ("MeterConfig", "event", "zapped"),
    ]
    for name, kind, verb in impossible:
        with pytest.raises(RejectedError, match="no "):
            sample_message(NOUNS[name], kind=kind, edition=EDITIONS["2011"], verb=verb)
