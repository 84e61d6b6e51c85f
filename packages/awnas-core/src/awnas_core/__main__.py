"""``python -m awnas_core`` is ``awnas``."""

from awnas_core.cli.app import main

if __name__ == "__main__":
    main()
