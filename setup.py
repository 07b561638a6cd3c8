"""Finds the packages; all else that an installation is made of stands in pyproject.toml, and so do their folders."""

from setuptools import find_packages, setup

own = find_packages(include=["scml_gym", "scml_gym.*"], exclude=["scml_gym.agents", "scml_gym.agents.*"])
learners = [f"scml_gym.agents.{name}" for name in find_packages("agents")]

setup(packages=[*own, "scml_gym.agents", *learners])
