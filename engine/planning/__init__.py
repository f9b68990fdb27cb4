"""Planning: from an order to its runs, for the app and the commands.

It takes a moment to import and to work: the app does both in threads, after its first paint.
"""

from engine.config.overrides import swept_settings
from engine.planning.changed import (
    amendments,
    enqueue_amended,
    enqueue_further,
    enqueue_refits,
)
from engine.planning.orders import (
    order_of_axes,
    order_of_cells,
    order_suite,
    samples,
)
from engine.planning.plans import Plan, PlannedRun, costs_in_store, plan, plan_in_store
from engine.planning.study import StudyOrder, begin_study, fitted_sentence, plan_study
from engine.planning.studycost import ModelCost, StudyCost, study_cost

__all__ = [
    "ModelCost",
    "Plan",
    "PlannedRun",
    "StudyCost",
    "StudyOrder",
    "amendments",
    "begin_study",
    "costs_in_store",
    "enqueue_amended",
    "enqueue_further",
    "enqueue_refits",
    "fitted_sentence",
    "order_of_axes",
    "order_of_cells",
    "order_suite",
    "plan",
    "plan_in_store",
    "plan_study",
    "samples",
    "study_cost",
    "swept_settings",
]
