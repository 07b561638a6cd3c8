"""What a new interpreter runs at its start, see `tests.helpers.forks.variables`."""

from tests.helpers import forks

forks.fork_workers()
