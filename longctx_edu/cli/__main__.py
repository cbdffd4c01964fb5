"""`python -m longctx_edu.cli` is `longctx`."""

import sys

from longctx_edu.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
