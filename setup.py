"""Finds the packages; all else that an installation is made of stands in pyproject.toml, and so do their folders."""

from setuptools import find_packages, setup

own = find_packages(include=["scml_gym", "scml_gym.*"])
elsewhere = ["scml_gym.configs", "scml_gym.agents", *(f"scml_gym.agents.{name}" for name in find_packages("agents"))]

setup(packages=sorted({*own, *elsewhere}))  # the links in scml_gym/ are followed, where there are links
