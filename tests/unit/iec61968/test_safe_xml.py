"""Reading XML from outside: what attacks is refused before it costs anything."""

from dataclasses import replace
from string import ascii_letters

import pytest

from canonical.errors import RejectedError
from iec61968.safe_xml import XmlLimits, check_prolog, parse

LIMITS = XmlLimits(total_bytes=4_000_000, depth=20, elements=1000, attributes=500, attributes_of_one=50)

ATTACKS: dict[str, tuple[bytes, str]] = {
    "entity expansion": (b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>', "1102"),
    "entity expansion behind comments": (b"<!-- --> <?x y?>\n<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>", "1102"),
    "external entity": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "1102"),
    "external subset": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', "1102"),
    "undeclared entity": (b"<a>&b;</a>", "1101"),
    "depth of ten thousand": (b"<a>" * 10_000 + b"</a>" * 10_000, "1104"),
    "depth beyond our own limit": (b"<a>" * 21 + b"</a>" * 21, "1104"),
    "a hundred thousand attributes": (b"<a " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>", "1104"),
    "attributes on many elements": (b"<a>" + b'<b c="1"/>' * 501 + b"</a>", "1104"),
    "too many elements": (b"<a>" + b"<b/>" * 1001 + b"</a>", "1104"),
    "oversize": (b"<a>" + b" " * 4_000_000 + b"</a>", "1103"),
    "endless prolog": (b" " * 70_000 + b"text", "1104"),
    "utf-16 without a declaration": ("<a/>".encode("utf-16-le"), "1105"),
    "utf-7": (b'<?xml version="1.0" encoding="utf-7"?><a/>', "1105"),
    "two roots": (b"<a/><b/>", "1101"),
    "nothing": (b"  \n", "1101"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_code(name: str) -> None:
    raw, number = ATTACKS[name]

    with pytest.raises(RejectedError) as caught:
        parse(raw, limits=LIMITS)

    assert caught.value.code.number == number


def test_a_schema_location_on_the_network_is_never_followed() -> None:
    raw = (
        b'<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://192.0.2.1/x.xsd"/>'
    )

    assert parse(raw).tag == "a"


def test_the_root_may_begin_behind_a_declaration_a_mark_and_comments() -> None:
    assert check_prolog(b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?><!-- x --><a/>')
    assert not check_prolog(b"<!-- not yet")


@pytest.mark.parametrize("elements", [19, 20, 21, 22])
@pytest.mark.parametrize("depth", [19, 20, 21])
@pytest.mark.parametrize("extra", ["", "<!-- < < = = -->", "a=b=c"], ids=["plain", "comment", "text"])
def test_limits_are_of_the_tree_though_they_are_looked_for_in_the_bytes_first(
    elements: int, depth: int, extra: str
) -> None:
    limits = XmlLimits(depth=20, elements=elements + depth, attributes=elements, attributes_of_one=5)
    raw = ("<a>" * depth + extra + '<b c="1"/>' * elements + "</a>" * depth).encode()

    def refused_as(changed: XmlLimits) -> str:
        try:
            parse(raw, limits=changed)
        except RejectedError as error:
            return error.code.number
        return ""

    assert refused_as(limits) == ("" if depth + 1 <= 20 else "1104")
    assert not refused_as(replace(limits, depth=40))
    assert refused_as(replace(limits, depth=40, elements=elements + depth - 1)) == "1104"
    assert refused_as(replace(limits, depth=40, attributes=elements - 1)) == "1104"


@pytest.mark.parametrize("count", [49, 50, 51])
def test_attributes_of_one_element_are_counted_however_short_they_are(count: int) -> None:
    raw = b"<a" + b"".join(b" %c=''" % name for name in ascii_letters.encode()[:count]) + b"/>"

    if count <= LIMITS.attributes_of_one:
        assert len(parse(raw, limits=LIMITS).attrib) == count
    else:
        with pytest.raises(RejectedError) as caught:
            parse(raw, limits=LIMITS)
        assert caught.value.code.number == "1104"


def test_a_limit_of_all_attributes_that_is_smaller_than_that_of_one_element_holds() -> None:
    limits = replace(LIMITS, attributes=2)

    assert len(parse(b"<a b='' c=''/>", limits=limits).attrib) == 2
    with pytest.raises(RejectedError, match="more than 2 attributes"):
        parse(b"<a b='' c=''><d e=''/></a>", limits=limits)
