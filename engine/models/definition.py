"""The definition of a model: what its file tells seqbench, as ``MODEL = Definition(...)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import torch
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass
from torch.overrides import TorchFunctionMode

from engine.modelinfo.info import Kind
from engine.models.base import FittedModel, MaskedModel, Model, OwnLossModel
from engine.spec.strict import Strict


class ModelSettings(Strict):
    """The base of a model's settings, with a default for every field that a profile doesn't set.

    They are shown, checked, overridden and swept like those of the models that come with seqbench,
    and explained by the docstrings of the fields.
    """

    model_config = ConfigDict(use_attribute_docstrings=True, validate_default=True)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Definition:
    """All that seqbench knows of a model. Its name is that of its file, with ``-`` for ``_``.

    Raises:
        pydantic.ValidationError: a field has a value of another type, or isn't known.
    """

    title: str
    settings: type[ModelSettings]
    module: type[Model]
    """Called with the settings, V (the number of items) and L (the length)."""
    paper: str = ""
    aliases: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    """Settings of training, such as ``lr``, of the profile ``reference`` if there are no
    ``profiles``."""
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name, as in YAML: ``architecture`` and ``training``, and under ``sizes`` (``small``,
    ``medium``, ``large``) what differs for a size of data set. ``architecture`` needs no
    ``model``. ``chosen`` says ``by hand`` if people chose the settings on validation."""
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Of a fitted model: the values that are tried on validation, for settings that are null."""
    space: Mapping[str, Any] = field(default_factory=dict)
    """What a study tries, as in ``configs/spaces``: by setting a list of values, or a mapping with
    ``low``, ``high`` and, if wanted, ``log`` or ``step``."""
    needs_times: bool = False
    """Of a fitted model: whether it can't be fitted to data without times."""

    @property
    def kind(self) -> Kind:
        """How the model is trained."""
        kinds: tuple[tuple[type[Model], Kind], ...] = (
            (FittedModel, "fitted"),
            (OwnLossModel, "own"),
            (MaskedModel, "masked"),
        )
        return next((kind for base, kind in kinds if issubclass(self.module, base)), "next-item")

    def build(self, settings: Mapping[str, Any], num_items: int, length: int) -> Model:
        """Build the module, with weights drawn from torch's global generator.

        Raises:
            pydantic.ValidationError: the settings aren't valid.
        """
        make: Callable[[ModelSettings, int, int], Model] = self.module
        model = make(self.settings.model_validate(settings), num_items, length)
        model.num_items, model.length = num_items, length
        return model

    def parameters(self, settings: Mapping[str, Any], num_items: int, length: int) -> int:
        """Count the trainable parameters of the module, without their memory or values."""
        with torch.device("meta"), _WithoutValues():
            model = self.build(settings, num_items, length)
        return sum(each.numel() for each in model.parameters() if each.requires_grad)


_DRAWS = frozenset(
    {
        torch.Tensor.bernoulli_,
        torch.Tensor.cauchy_,
        torch.Tensor.exponential_,
        torch.Tensor.geometric_,
        torch.Tensor.log_normal_,
        torch.Tensor.normal_,
        torch.Tensor.random_,
        torch.Tensor.uniform_,
    }
)


class _WithoutValues(TorchFunctionMode):
    """Leaves out giving tensors their initial values. On the ``meta`` device they have none, and
    torch loads its compiler there to draw none, which takes seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in _DRAWS or getattr(func, "__module__", "") == torch.nn.init.__name__:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
