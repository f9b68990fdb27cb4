"""The filter language in a few lines, for the help of the Compare screen; all of it is in
docs/queries.md."""

from __future__ import annotations

FILTER_HELP = (
    ("word", "in the id, model, data set, length, state, profile, suite, note or tags"),
    ("model:sas", "the field has it; also dataset, state, profile, suite, note, run, …"),
    ("dataset:ml-*", "the whole field fits; model=sasrec is exactly that"),
    ("seed:1,2", "one or the other"),
    ("ndcg>0.16", "also recall hit mrr, valid_ndcg, ndcg_masked, loss, lr, params, epochs"),
    ("age<2d", "queued in the last two days; s m h d w"),
    ("tag:paper", "has that tag"),
    ("mark:* origin:*", "was disturbed (shared, throttled); came from another program"),
    ("-state:failed", "isn't that"),
    ("a OR b", "one of the two neighbors; everything else must all hold"),
    ('"two words"', "taken literally"),
    ("", "all of it: docs/queries.md"),
)
"""What to write, and which runs it finds."""
