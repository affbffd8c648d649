"""The nouns table of docs/adapters/cim.md, made from the registry."""

from iec61968.spoken_nouns import NOUNS

AUTHORED = (
    *("GetUsagePointConfig", "MeterReadSchedule", "MeterServiceRequests", "ComModuleConfig", "CustomerConfig"),
    *("CustomerAccountConfig", "CustomerAgreementConfig", "ServiceLocationConfig", "ServiceCategoryConfig"),
    *("ServiceSupplierConfig", "PricingStructureConfig", "UsagePointLocationConfig", "EndDeviceGroups"),
    "UsagePointGroups",
)
"""Nouns without a public schema."""


def nouns_table() -> str:
    """Return one line for each noun: name, what counts as its objects, where its structure comes from."""
    lines = []
    for noun in NOUNS.values():
        counted = "everything that it names" if len(noun.objects) > 1 else noun.objects[0]
        lines.append(f"| `{noun.name}` | {counted} | {'authored' if noun.name in AUTHORED else 'published'} |\n")
    return "".join(lines)
