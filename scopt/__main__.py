"""``python -m scopt`` is ``scopt``."""

from scopt.cli import main

if __name__ == "__main__":
    main()
