"""Judge a report: ``python -m tests.independent report.md runs/ [data/ [suites/]]``."""

from __future__ import annotations

import sys
from pathlib import Path

from .check import check


def main() -> None:
    """Print what is false and what isn't checked; exit with 1 if something is false."""
    words = [word for word in sys.argv[1:] if word != "-v"]
    found = check(*map(Path, words))
    for state in ("holds", "not checked", "false"):
        some = [each for each in found if each.state == state]
        sys.stdout.write(f"{len(some)} {state}\n")
        if state != "holds" or "-v" in sys.argv:
            for each in some:
                sys.stdout.write(f"  [{each.section}] {each.text[:300]}\n      {each.why}\n")
    sys.exit(any(each.state == "false" for each in found))


if __name__ == "__main__":
    main()
