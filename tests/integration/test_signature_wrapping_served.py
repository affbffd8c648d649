"""Signed parts that were moved to where nobody reads them, sent to a running hub: they vouch for nothing."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree
from security_tiers import Tiers, message, now, running_tiers
from ws_security import SOAP, WSSE, WSU, signed, stamp

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    with running_tiers(tmp_path_factory.mktemp("tiers")) as running:
        yield running


def moved(root: Any, place: Callable[[Any, Any], None], identifier: str | None) -> Any:
    """Return a signed envelope whose Body was moved away, and an unsigned one put where the Body is read."""
    body = root.find(f"{{{SOAP}}}Body")
    evil, own = deepcopy(body), deepcopy(body)
    (fresh,) = evil.iter("{*}MessageID")
    fresh.text = "99999999-2222-3333-4444-555555555555"
    evil.attrib.clear()
    if identifier is not None:
        evil.set(f"{{{WSU}}}Id", identifier)
    root.replace(body, evil)
    place(root, own)
    return root


def _in_header(root: Any, body: Any) -> None:
    etree.SubElement(root[0], "{urn:x}Wrapper").append(body)


def _in_security(root: Any, body: Any) -> None:
    root.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security").append(body)


def _in_signature(root: Any, body: Any) -> None:
    (found,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}Signature")
    etree.SubElement(found, "{http://www.w3.org/2000/09/xmldsig#}Object").append(body)


def _in_header_of_its_own(root: Any, body: Any) -> None:
    root.insert(1, etree.Element(f"{{{SOAP}}}Header"))
    root[1].append(body)


def _behind(root: Any, body: Any) -> None:
    root.append(body)


def _before(root: Any, body: Any) -> None:
    root.insert(1, body)


def _in_the_body(root: Any, body: Any) -> None:
    root.find(f"{{{SOAP}}}Body").append(body)


PLACES = (_in_header, _in_security, _in_signature, _in_header_of_its_own, _behind, _before, _in_the_body)


@pytest.mark.parametrize("identifier", [None, "body", "other"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__.strip("_"))
def test_a_signed_body_that_was_moved_away_does_not_vouch_for_another(
    tiers: Tiers, place: Callable[[Any, Any], None], identifier: str | None
) -> None:
    tiers.refused("signature", moved(signed(message(), tiers.signer), place, identifier))


def test_an_old_signed_timestamp_does_not_hide_behind_a_fresh_one(tiers: Tiers) -> None:
    root = signed(message(), tiers.signer, created=now() - timedelta(minutes=30))
    (old,) = root.iter(f"{{{WSU}}}Timestamp")
    fresh = deepcopy(old)
    for name, at in (("Created", now()), ("Expires", now() + timedelta(minutes=5))):
        fresh.find(f"{{{WSU}}}{name}").text = stamp(at)
    security = old.getparent()
    security.replace(old, fresh)
    etree.SubElement(root[0], "{urn:x}Wrapper").append(old)
    tiers.refused("signature", root)

    fresh.set(f"{{{WSU}}}Id", "fresh")
    tiers.refused("signature", root)
