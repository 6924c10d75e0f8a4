"""``python -m gonio`` is the same as ``gonio``."""

from gonio.cli import main

if __name__ == "__main__":
    main()
