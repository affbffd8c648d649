"""What a site file says of an address to which asynchronous answers may go."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ReplySection(BaseModel):
    """One address to which asynchronous answers may go; the hub sends them nowhere else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(pattern=r"^https://[^/?#@\s]+(?:[/?#]\S*)?$")
    """Without user and password: these have keys of their own."""

    clients: tuple[str, ...]
    """Callers who may ask for answers there."""

    binding: Literal["typed", "generic", "string", "bare"] = "typed"
    edition: Literal["2011", "www", "2017"] = "2011"
    user: str = ""
    password: str = ""
    ca_file: str = ""
    tier: Literal["basic", "token", "signature"] = "basic"
    """How we prove ourselves there; token and signature need SOAP."""

    client_certificate: str = ""
    """PEM file with certificate and key that we show (mTLS)."""

    signing_key: str = ""
    signing_certificate: str = ""
    """PEM files, with tier `signature`."""

    compressed: bool = False
    """Whether payloads go there compressed (gzip in base64)."""

    part_objects: int = Field(0, ge=0)
    """MeterReadings in one message; a larger answer goes in parts. 0: any number."""

    @model_validator(mode="after")
    def _can_be_proven(self) -> "ReplySection":
        """Check that the tier goes with the binding, and has what it needs."""
        if self.tier != "basic" and self.binding == "bare":
            raise ValueError(f"tier {self.tier!r} needs SOAP, which binding 'bare' is not")
        if self.tier == "token" and not (self.user and self.password):
            raise ValueError("tier 'token' needs user and password")
        if self.tier == "signature" and not (self.signing_key and self.signing_certificate):
            raise ValueError("tier 'signature' needs signing_key and signing_certificate")
        return self
