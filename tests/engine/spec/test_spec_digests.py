"""Equal digests of runs are equal data and training, equal fingerprints the same seed as well."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.spec import Dataset, Filter, RunSpec, SplitRule

CATALOGUE = load_catalogue()


BASE = CATALOGUE.run_spec("sasrec", "ml-100k", 50, 1)


SPLITS = (SplitRule(), SplitRule(kind="temporal"), SplitRule(kind="temporal", test_share=0.2))


def same_result(one: RunSpec, other: RunSpec) -> bool:
    """Whether all that a result depends on but the seed is equal, asked field by field."""
    names = ("length", "architecture", "training", "protocol")
    data = ("name", "reader", "files", "synthetic", "users", "items", "interactions")
    return all(getattr(one, name) == getattr(other, name) for name in names) and all(
        getattr(one.source, name) == getattr(other.source, name)
        for name in (*data, "columns", "filter", "split")
    )


sources = st.builds(
    lambda source, **changes: source.model_copy(update=changes),
    st.sampled_from([BASE.source, CATALOGUE.dataset("synthetic")]),
    split=st.sampled_from(SPLITS),
    filter=st.sampled_from([Filter(), Filter(min_rating=4.0), Filter(k_core=5)]),
    users=st.sampled_from([943, 944]),
    title=st.sampled_from(["one", "another"]),
    note=st.text(max_size=3),
    folder=st.sampled_from([None, "elsewhere"]),
)


@given(
    source=sources,
    other=sources,
    changes=st.tuples(
        *[
            st.fixed_dictionaries(
                {
                    "seed": st.integers(0, 3),
                    "length": st.sampled_from([50, 50, 75]),
                    "lr": st.sampled_from([0.001, 0.001, 0.002]),
                    "tied": st.booleans(),
                    "variant": st.sampled_from(["", "tied"]),
                    "profile": st.sampled_from(["reference", "tuned"]),
                }
            )
        ]
        * 2
    ),
)
def test_equal_digests_are_equal_data_and_training(
    source: Dataset, other: Dataset, changes: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    def spec(source: Dataset, change: dict[str, Any]) -> RunSpec:
        own = dict(change)
        training = BASE.training.model_copy(update={"lr": own.pop("lr")})
        architecture = BASE.architecture.model_copy(update={"tied": own.pop("tied")})
        parts = {"source": source, "training": training, "architecture": architecture}
        return BASE.model_copy(update={**parts, **own})

    one, two = spec(source, changes[0]), spec(other, changes[1])
    assert (one.settings() == two.settings()) == same_result(one, two)
    same_run = same_result(one, two) and one.seed == two.seed
    assert (one.fingerprint() == two.fingerprint()) == same_run
