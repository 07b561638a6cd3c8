"""Behaviour cloning: a policy that does as the decisions of datasets do.

Read in this order: `hyperparameters`, `fitting` (what it learns with, and where it stands), `players`,
`learner`.
"""
