"""A MeterReading brought to one plain form of its bytes: no indentation, no prefix, no comments, double quotes.

Each step keeps what libxml2 and the schema make of the bytes; one that would not be certain to leaves them as they are,
so that the strict grammar behind refuses them and the XML parser reads them instead.
"""

import re

SPACE = b" \t\r\n"
"""What XML calls white space."""

COMMENT = re.compile(rb"<!--(?:[\t\r\n -,.-~]|-[\t\r\n -,.-~])*-->")
"""A well-formed comment in plain ASCII."""

_BETWEEN_TAGS = re.compile(rb">(?:[ \t\r\n]*" + COMMENT.pattern + rb")+[ \t\r\n]*<")
_INDENT = re.compile(rb">([ \t\r\n]+)<")
_CLOSED_APART = re.compile(rb'<(ReadingType|ReadingQualityType) ref="([0-9.]+)"></\1>')
_KINDS_OF_INDENT = 12


def start_and_end(prefix: str | None) -> tuple[bytes, bytes]:
    """Return the tags around a MeterReading whose payload uses that prefix."""
    mark = prefix.encode() + b":" if prefix else b""
    return b"<%sMeterReading>" % mark, b"</%sMeterReading>" % mark


def plain(block: bytes, prefix: str | None) -> bytes:
    """Return the bytes of a MeterReading in the plain form, as far as they can be brought to it with certainty."""
    if b"<!" in block:
        # Between two tags only: a comment inside a tag is a mistake, one inside a text is the parser's.
        block = _BETWEEN_TAGS.sub(b"><", block)
    if prefix:
        block = _without_prefix(block, prefix.encode() + b":")
    if b"' />" in block or b'" />' in block:
        # `>` stands in no text and no value that the grammar takes, so this is the end of a tag or is refused.
        block = block.replace(b'" />', b'"/>').replace(b"' />", b"'/>")
    if b"='" in block and b'"' not in block:
        # Without a double quote anywhere, a value that a single quote opens is closed by one.
        block = block.replace(b"<ReadingType ref='", b'<ReadingType ref="')
        block = block.replace(b"<ReadingQualityType ref='", b'<ReadingQualityType ref="').replace(b"'/>", b'"/>')
        block = block.replace(b"'></Reading", b'"></Reading')
    if b'"></' in block:
        block = _CLOSED_APART.sub(rb'<\1 ref="\2"/>', block)
    return _without_indentation(block)


def _without_prefix(block: bytes, mark: bytes) -> bytes:
    """Return the block without the prefix, if every tag bears it: `<` stands in no text and no value."""
    opening, closing = b"<" + mark, b"</" + mark
    if block.count(b"<") != block.count(opening) + block.count(closing):
        return block
    return block.replace(opening, b"<").replace(closing, b"</")


def _without_indentation(block: bytes) -> bytes:
    """Return the block without white space between tags, which means nothing in any element of a MeterReading.

    The white space that is all the text of a `name` or `mRID` goes too: both are read without it. A `value` or an
    instant that is nothing else is refused by the grammar with it and without it.
    """
    for _ in range(_KINDS_OF_INDENT):
        found = _INDENT.search(block)
        if found is None:
            return block
        block = block.replace(found.group(), b"><")
    return _INDENT.sub(b"><", block)
