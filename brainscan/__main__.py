"""``python -m brainscan``."""

import sys

from brainscan.cli.main import main

sys.exit(main())
