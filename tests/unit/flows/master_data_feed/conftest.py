"""Masters in miniature are shared with the tests of the flows that take and load them."""

import sys
from pathlib import Path

for flow in ("master_data_sync", "master_load"):
    sys.path.append(str(Path(__file__).parent.parent / flow))
