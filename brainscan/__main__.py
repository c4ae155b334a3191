"""``python -m brainscan``."""

import sys

from brainscan.cli.entry import main

sys.exit(main())
