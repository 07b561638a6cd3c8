"""Defaults of learners, environments, experiments, tournaments and studies, as data (`scml_gym.core.config`)."""
