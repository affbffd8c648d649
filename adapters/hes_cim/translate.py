"""Messages of a head-end over IEC 61968-9 in canonical words and back (docs/adapters/hes.md).

What the nouns mean is the standard's and stands in `iec61968.canonical_nouns`; what one product does differently is
stated by its settings (`MasterDataReading`). So an own translation begins where a product breaks the standard.
"""

from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.sample_messages import Samples

_SAMPLES = Samples("hes", MasterDataReading(zone="America/Toronto"))
"""How the samples are to be understood."""

golden_read, golden_write = _SAMPLES.read, _SAMPLES.write
