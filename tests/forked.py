"""Processes forked from one that has torch loaded already: loading it costs more than all that most
of them do."""

from __future__ import annotations

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["engine.worker.attempt"])
