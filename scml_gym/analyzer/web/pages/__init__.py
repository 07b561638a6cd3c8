"""The pages of the analyzer by path, in the order of the menu."""

from __future__ import annotations

from scml_gym.analyzer.web.pages.compare import COMPARE
from scml_gym.analyzer.web.pages.competitor import COMPETITOR
from scml_gym.analyzer.web.pages.day import DAY
from scml_gym.analyzer.web.pages.decisions import DECISIONS
from scml_gym.analyzer.web.pages.findings import FINDINGS
from scml_gym.analyzer.web.pages.live import LIVE
from scml_gym.analyzer.web.pages.negotiation import NEGOTIATION
from scml_gym.analyzer.web.pages.ranking import RANKING
from scml_gym.analyzer.web.pages.runs import RUNS
from scml_gym.analyzer.web.pages.world import WORLD
from scml_gym.analyzer.web.pages.worlds import WORLDS

_ORDER = (RUNS, RANKING, WORLDS, WORLD, DAY, NEGOTIATION, COMPETITOR, DECISIONS, COMPARE, FINDINGS, LIVE)
PAGES = {page.path: page for page in _ORDER}
