"""What a site file may say of messages that come as files: `[files]`, and the roles that lay them down."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from canonical.event_kinds import EventKind


class InboundFilesSection(BaseModel):
    """A role whose files are messages; its server and folder are the proof of who sent them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: Literal["strict", "report", "off"] | None = None
    """What is done with messages that break their schema; as [files] says where it is not given."""

    event_dialect: Literal["edition2", "mesh", "firmware", "legacy"] = "edition2"
    event_codes: dict[str, EventKind] = Field(default_factory=dict)


class FilesSection(BaseModel):
    """Files that hold one CIM message of any noun each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    poll_seconds: float = Field(60.0, gt=0)
    """Seconds of machine time between two looks into the folders."""

    edition: Literal["2011", "www", "2017"] = "2011"
    policy: Literal["strict", "report", "off"] = "strict"
    limit_bytes: int = Field(32 * 1024 * 1024, ge=1)
    """Largest message that is taken from a file, unpacked."""

    inbound: dict[str, InboundFilesSection] = Field(default_factory=dict)
