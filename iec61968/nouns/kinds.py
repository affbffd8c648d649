"""Types of values that the profiles share: enumerations and quantities (IEC 61968-9:2013, CIM15)."""

from decimal import Decimal
from typing import Annotated, Literal

from iec61968.nouns.shape import TypeName

Voltage = Annotated[Decimal, TypeName("Voltage")]
CurrentFlow = Annotated[Decimal, TypeName("CurrentFlow")]
ActivePower = Annotated[Decimal, TypeName("ActivePower")]
RealEnergy = Annotated[Decimal, TypeName("RealEnergy")]
PerCent = Annotated[Decimal, TypeName("PerCent")]
Seconds = Annotated[Decimal, TypeName("Seconds")]
Minutes = Annotated[Decimal, TypeName("Minutes")]
Money = Annotated[Decimal, TypeName("Money")]
Temperature = Annotated[Decimal, TypeName("Temperature")]
FloatQuantity = Annotated[Decimal, TypeName("FloatQuantity")]
StringQuantity = Annotated[str, TypeName("StringQuantity")]

AmiBillingReadyKind = Annotated[
    Literal["amiCapable", "amiDisabled", "billingApproved", "enabled", "nonAmi", "nonMetered", "operable"],
    TypeName("AmiBillingReadyKind"),
]
AssetModelUsageKind = Annotated[
    Literal[
        "customerSubstation",
        "distributionOverhead",
        "distributionUnderground",
        "other",
        "streetlight",
        "substation",
        "transmission",
        "unknown",
    ],
    TypeName("AssetModelUsageKind"),
]
ComDirectionKind = Annotated[Literal["biDirectional", "fromDevice", "toDevice"], TypeName("ComDirectionKind")]
ComTechnologyKind = Annotated[
    Literal["cellular", "ethernet", "homePlug", "pager", "phone", "plc", "rf", "rfMesh", "zigbee"],
    TypeName("ComTechnologyKind"),
]
CorporateStandardKind = Annotated[
    Literal["experimental", "other", "standard", "underEvaluation"], TypeName("CorporateStandardKind")
]
CustomerKind = Annotated[
    Literal[
        "commercialIndustrial",
        "energyServiceScheduler",
        "energyServiceSupplier",
        "internalUse",
        "other",
        "pumpingLoad",
        "residential",
        "residentialAndCommercial",
        "residentialAndStreetlight",
        "residentialFarmService",
        "residentialStreetlightOthers",
        "windMachine",
    ],
    TypeName("CustomerKind"),
]
EndDeviceFunctionKind = Annotated[
    Literal[
        "autonomousDst",
        "demandResponse",
        "electricMetering",
        "gasMetering",
        "metrology",
        "onRequestRead",
        "outageHistory",
        "relaysProgramming",
        "reverseFlow",
        "waterMetering",
    ],
    TypeName("EndDeviceFunctionKind"),
]
MeterMultiplierKind = Annotated[
    Literal["ctRatio", "kE", "kH", "kR", "ptRatio", "transformerRatio"], TypeName("MeterMultiplierKind")
]
PhaseCode = Annotated[
    Literal[
        "A",
        "AB",
        "ABC",
        "ABCN",
        "ABN",
        "AC",
        "ACN",
        "AN",
        "B",
        "BC",
        "BCN",
        "BN",
        "C",
        "CN",
        "N",
        "s1",
        "s12",
        "s12N",
        "s1N",
        "s2",
        "s2N",
    ],
    TypeName("PhaseCode"),
]
RandomisationKind = Annotated[Literal["default", "end", "none", "start", "startAndEnd"], TypeName("RandomisationKind")]
ReadingReasonKind = Annotated[
    Literal[
        "billing",
        "demandReset",
        "inquiry",
        "installation",
        "loadManagement",
        "loadResearch",
        "moveIn",
        "moveOut",
        "other",
        "removal",
        "serviceConnect",
        "serviceDisconnect",
    ],
    TypeName("ReadingReasonKind"),
]
RevenueKind = Annotated[
    Literal["commercial", "industrial", "irrigation", "nonResidential", "other", "residential", "streetLight"],
    TypeName("RevenueKind"),
]
SealConditionKind = Annotated[Literal["broken", "locked", "missing", "open", "other"], TypeName("SealConditionKind")]
SealKind = Annotated[Literal["lead", "lock", "other", "steel"], TypeName("SealKind")]
ServiceKind = Annotated[
    Literal[
        "electricity",
        "gas",
        "heat",
        "internet",
        "other",
        "rates",
        "refuse",
        "sewerage",
        "time",
        "tvLicence",
        "water",
    ],
    TypeName("ServiceKind"),
]
ServiceMultiplierKind = Annotated[Literal["ctRatio", "ptRatio", "transformerRatio"], TypeName("ServiceMultiplierKind")]
SupplierKind = Annotated[Literal["other", "retailer", "utility"], TypeName("SupplierKind")]
TransmissionModeKind = Annotated[Literal["anonymous", "both", "normal"], TypeName("TransmissionModeKind")]
UsagePointConnectedKind = Annotated[
    Literal["connected", "logicallyDisconnected", "physicallyDisconnected"], TypeName("UsagePointConnectedKind")
]
WorkKind = Annotated[
    Literal[
        "construction",
        "disconnect",
        "inspection",
        "maintenance",
        "meter",
        "other",
        "reconnect",
        "repair",
        "service",
        "test",
    ],
    TypeName("WorkKind"),
]
