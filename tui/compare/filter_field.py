"""The field in which the comparison's filter is typed, and its language in a few lines; all of it
is in docs/queries.md."""

from __future__ import annotations

from tui.widgets.field import Field

_HINT, _LONG_HINT = "/ filter", "/ filter, such as model:sasrec ndcg>0.1"

FILTER_HELP = (
    ("word", "in the id, model, data set, length, state, profile, suite, note or tags"),
    ("model:sas", "the field has it; also dataset, state, profile, suite, note, run, …"),
    ("dataset:ml-*", "the whole field fits; model=sasrec is exactly that"),
    ("seed:1,2", "one or the other"),
    ("ndcg>0.16", "also recall hit mrr, valid_ndcg, ndcg_masked, loss, params, epochs"),
    ("lr<0.001", "any setting: dropout:0.3, norm:pre, batch_size>=128, tied:true"),
    ("age<2d", "queued in the last two days; s m h d w"),
    ("tag:paper", "has that tag"),
    ("mark:* origin:*", "needs care (shared, still-improving, …); came from another program"),
    ("-state:failed", "isn't that"),
    ("a OR b", "one of the two neighbors; everything else must all hold"),
    ('"two words"', "taken literally"),
    ("", "all of it: docs/queries.md"),
)
"""What to write, and which runs it finds."""


class FilterField(Field):
    """A field whose hint gives an example where that has room: cut, it would look like a filter
    that is there."""

    def __init__(self) -> None:
        super().__init__(placeholder=_HINT, id="filter", compact=True)

    def on_resize(self) -> None:
        room = self.content_size.width > len(_LONG_HINT)
        self.placeholder = _LONG_HINT if room else _HINT
