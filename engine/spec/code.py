"""The file of a model that doesn't come with seqbench."""

from __future__ import annotations

from pydantic import Field

from engine.spec.strict import Strict


class Code(Strict):
    """The Python file that defines a run's model, as it was when the run was queued."""

    file: str = Field(min_length=1, max_length=255)
    """Its name, without folders."""
    sha256: str = Field(pattern=r"[0-9a-f]{64}")
    """SHA-256 of its content, in hex."""

    package: str = ""
    """The package that it imports its neighbours from; empty for a file that stands alone."""

    @property
    def short(self) -> str:
        """The first digits of the hash, as people compare them."""
        return self.sha256[:7]
