"""A CIS over IEC 61968-9: tells the hub its customers, agreements and usage points, keeps books of what it is told.

    CIM_PASSWORD=... CIM_HUB_PASSWORD=... python -m simulators.cim_cis --name CIS-A --port N --books DIR --cert CIS.pem
        --hub https://127.0.0.1:N/cim --ca CA.pem

Orders come over its control endpoint (simulators/cim_web.py). It answers OK, unless a script of answers says otherwise.
"""

from simulators.cim_mdms import answer_held
from simulators.cim_system import System, Taken, operations_in
from simulators.cim_taking import take_exchanges, take_links, take_objects, take_readings
from simulators.cim_web import run
from simulators.cim_wire import Heard

_CLASSES = (
    *("Customer", "CustomerAccount", "CustomerAgreement", "ServiceLocation", "UsagePoint", "Meter"),
    *("EndDeviceControl", "EndDeviceEvent"),
)


def take(system: System, one: Heard) -> Taken:
    """Take a message, or each operation of a set, into the books of the CIS without objections; say what it holds."""
    if one.verb == "get" and one.noun in ("UsagePointConfig", "MeterConfig"):
        return answer_held(system, one)
    if one.noun == "OperationSet":
        for operation in operations_in(one):
            take(system, operation)
    elif one.noun == "MeterReadings":
        take_readings(system, one)
    elif one.noun == "MasterDataLinkageConfig":
        take_links(system, one)
    elif one.noun == "MeterServiceRequests":
        take_exchanges(system, one)
    else:
        take_objects(system, one, *_CLASSES)
    return Taken()


if __name__ == "__main__":
    run(take, __doc__ or "")
