"""The report: what ran, what came of it, and what may be said of it, as one page."""

import logging

# On being imported, Matplotlib would warn of being slower where there is no home folder.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
