"""ComModuleConfig: communication modules (no published structure; from CIM15)."""

from iec61968.nouns import kinds
from iec61968.nouns.elements import ActivityRecord, ConfigurationEvent, ElectronicAddress, LifecycleDate, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class ComModule:
    """A module by which meters communicate."""

    mrid: str | None = None
    amr_system: str | None = None
    supports_autonomous_dst: bool | None = None
    lot_number: str | None = None
    serial_number: str | None = None
    time_zone_offset: kinds.Minutes | None = None
    type: str | None = None
    utc_number: str | None = None
    activity_records: tuple[ActivityRecord, ...] = ()
    configuration_events: ConfigurationEvent | None = None
    electronic_address: ElectronicAddress | None = None
    lifecycle: LifecycleDate | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None


@part
class ComModuleConfig:
    """Communication modules."""

    com_module: tuple[ComModule, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(ComModuleConfig)
