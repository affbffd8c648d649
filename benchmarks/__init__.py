"""The hot paths beside their floor and their peers. Claims are ratios measured in one run, never timed tests."""

import sys
from pathlib import Path

# Benchmarks start the same private servers as the tests do (`servers.postgres`, `servers.openssh`).
sys.path.append(str(Path(__file__).parents[1] / "tests"))
