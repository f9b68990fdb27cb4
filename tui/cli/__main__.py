"""``python -m tui.cli``."""

from tui.cli.main import main

main()
