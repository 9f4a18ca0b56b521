"""``python -m lapwing`` is the same as the command ``lapwing``."""

import sys

from lapwing.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
