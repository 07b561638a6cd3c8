"""PettingZoo parallel environments: ``oneshot_threads_v0`` and ``oneshot_factories_v0``, each with ``parallel_env``."""

from scml_gym.envs.parallel import oneshot_factories_v0, oneshot_threads_v0

__all__ = ["oneshot_factories_v0", "oneshot_threads_v0"]
