"""Masters in miniature are shared with the tests of the flow that takes them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "master_data_sync"))
