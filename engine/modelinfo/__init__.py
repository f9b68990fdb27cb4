"""What is known of models without torch: described by a process that may import it, and kept."""

from engine.modelinfo.builtin import builtin_info, builtin_infos
from engine.modelinfo.facts import (
    Facts,
    NotKnownError,
    facts_of,
    known_facts,
    parameters_of,
)
from engine.modelinfo.find import own_infos
from engine.modelinfo.info import Kind, ModelInfo

__all__ = [
    "Facts",
    "Kind",
    "ModelInfo",
    "NotKnownError",
    "builtin_info",
    "builtin_infos",
    "facts_of",
    "known_facts",
    "own_infos",
    "parameters_of",
]
