"""The page that documents a layout, made from the layout itself: what a partner is given."""

from collections.abc import Iterator

from sftp.layout import Field, Layout, Record

_TIMES = {
    "instant": "instant, ISO 8601 with offset",
    "date": "date",
    "time": "local clock time",
    "bool": "Y or N",
    "int": "whole number",
    "text": "text",
}


def page(layout: Layout) -> str:
    """Return one layout's page as Markdown; the same layout gives the same text."""
    return "\n".join(_lines(layout)) + "\n"


def _lines(layout: Layout) -> Iterator[str]:
    """Yield the lines of the page."""
    yield f"## {layout.title}: layout `{layout.layout_id}/{layout.version}`"
    yield ""
    for record in layout.records:
        yield from _record(record, layout)


def _record(record: Record, layout: Layout) -> Iterator[str]:
    """Yield heading and table of one record type."""
    below = f", below `{record.parent}`" if record.parent else ""
    yield f"### `{record.tag}` ({record.scope}{below})"
    yield ""
    yield "| column | field | type | width | given | takes |"
    yield "|---|---|---|---|---|---|"
    column = layout.tag_width + 1
    for field in record.fields:
        given = "always" if field.mandatory else "if known"
        takes = _total(field) or ("" if field.constant or field.takes == "nothing" else f"`{field.takes}`")
        yield f"| {column} | {field.name} | {_kind(field)} | {field.width} | {given} | {takes} |"
        column += field.width
    yield ""


def _kind(field: Field) -> str:
    """Return what may stand in a field, in words."""
    if field.constant:
        return f"`{field.constant}`"
    if field.kind == "code":
        return " ".join(wire if word == wire else f"{word}=`{wire}`" for word, wire in field.codes.items())
    if field.kind == "decimal":
        point = "digits behind an implied point" if field.implied else "decimals at most"
        return f"number, {field.scale} {point}"
    words = _TIMES[field.kind]
    return f"{words} `{field.format}`" if field.format else words


def _total(field: Field) -> str:
    """Return what a trailer field adds up, in words."""
    if field.total is None:
        return ""
    of = f"{field.total.record}.{field.total.of}" if field.total.of else field.total.record
    by = f" by {' and '.join(field.total.by)}" if field.total.by else ""
    return f"{field.total.kind} of `{of}`{by}"


def pages(layouts: Iterator[Layout] | list[Layout]) -> str:
    """Return the pages of several layouts, one after another."""
    return "\n".join(page(layout) for layout in layouts)
