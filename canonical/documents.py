"""A message that the hub passes on without needing to understand it: routed by what it names, said in other words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """The payload of a message of any noun, as it came; the carrier's envelope is taken off."""

    noun: str
    """IEC 61968-9 noun, such as `EndDeviceControls`."""

    body: bytes
    """The noun's element as XML, in the namespace in which it came."""

    usage_points: tuple[str, ...] = ()
    """mRIDs of the usage points that it names, in order of first appearance."""

    meters: tuple[str, ...] = ()
    """mRIDs of the meters that it names."""


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What the sender of a file that is one message is told, in the words that every carrier would answer with."""

    file_name: str
    """Name of the partner's file."""

    body: bytes
    """The answering message as it goes over the wire."""
