"""What the tests of memory share stands in `memory_cases`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
