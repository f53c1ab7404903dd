"""``python -m aclquant``."""

import sys

from .cli import main

sys.exit(main())
