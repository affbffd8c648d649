"""Business keys that stand twice in one file: the same content is taken once, different content not at all."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import BinaryIO

from canonical.codes import file as codes
from canonical.messages import Rejection
from sftp.layout_lines import Lines
from sftp.layout_read import Compiled, Group

Keys = Mapping[str, tuple[str, ...]]
"""Tag of a business item to the fields that make its key; a name that starts with `=` stands for itself."""


@dataclass(slots=True)
class Repeats:
    """Keys of a file that stand in it more than once."""

    compiled: Compiled
    keys: Keys
    contents: dict[str, set[bytes]] = field(default_factory=dict)
    """Repeated key to digests of the different contents it came with."""

    seen: set[str] = field(default_factory=set)
    """Repeated keys of which the first was already given."""

    def verdict(self, group: Group) -> Rejection | None:
        """Return why an item is not taken for its key's sake: a warning for an identical repeat, else an error."""
        if not self.contents:
            return None
        key = key_of(group.raw, group.tag, self.compiled, self.keys)
        contents = self.contents.get(key)
        if contents is None:
            return None
        if len(contents) > 1:
            reason = f"{group.key} stands in this file with {len(contents)} different contents"
            return Rejection(group.line, str(codes.CONFLICT_IN_FILE), reason, key=group.key, raw=group.raw)
        if key in self.seen:
            reason = f"{group.key} stands in this file before, the same"
            return Rejection(group.line, str(codes.REPEATED_IN_FILE), reason, key=group.key, raw=group.raw)
        self.seen.add(key)
        return None


def key_of(line: str, tag: str, compiled: Compiled, keys: Keys) -> str:
    """Return the key that the first line of an item names, or empty where it has none."""
    fields = keys.get(tag)
    if fields is None:
        return ""
    record = compiled.records[tag]
    texts = record.texts(line)
    names = record.record.names
    places = [(name, names.index(name)) if name[0] != "=" else (name, -1) for name in fields]
    return "\x1f".join(name if at < 0 else texts[at] if at < len(texts) else "" for name, at in places)


def repeats_in(stream: BinaryIO, compiled: Compiled, keys: Keys) -> Repeats:
    """Return the repeated keys of a seekable stream and leave it at its start.

    Remembers eight bytes for each key; contents are compared in a second pass, and only for keys that repeat.
    """
    # Sorted part by part: a set of a million numbers takes ten times as much memory.
    numbers = [array("q") for _ in range(_PARTS)]
    for line in Lines(stream, checked=False):
        tag = _tag(line, compiled)
        if tag in keys:
            number = hash(key_of(line, tag, compiled, keys))
            numbers[number % _PARTS].append(number)
    stream.seek(0)
    again = {one for part in numbers for one, after in pairwise(sorted(part)) if one == after}
    found = Repeats(compiled, keys)
    if again:
        found.contents = _contents(stream, compiled, keys, again)
        stream.seek(0)
    return found


_PARTS = 256
"""Parts in which the numbers of keys are held."""


def _contents(stream: BinaryIO, compiled: Compiled, keys: Keys, again: set[int]) -> dict[str, set[bytes]]:
    """Return key to digests of its contents, for the keys whose number repeats."""
    counts: dict[str, int] = {}
    digests: dict[str, set[bytes]] = {}
    key, digest = "", blake2b(digest_size=16)

    def close() -> None:
        if key and hash(key) in again:
            counts[key] = counts.get(key, 0) + 1
            digests.setdefault(key, set()).add(digest.digest())

    for line in Lines(stream):
        tag = _tag(line, compiled)
        record = compiled.records.get(tag)
        if record is None or not record.record.parent:
            close()
            key, digest = key_of(line, tag, compiled, keys), blake2b(digest_size=16)
        digest.update(line.encode() + b"\n")
    close()
    # Two keys may share a number: only what really stands twice counts.
    return {k: digests[k] for k, count in counts.items() if count > 1}


def _tag(line: str, compiled: Compiled) -> str:
    """Return the record type that a line claims to be."""
    if compiled.form == "delimited":
        return line.partition(compiled.layout.separator)[0]
    return line[: compiled.layout.tag_width].rstrip(" ")
