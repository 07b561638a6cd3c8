"""Decision Transformer: a policy that continues episodes of datasets, given the return that is to come.

Source: Chen et al. 2021, *Decision Transformer: Reinforcement Learning via Sequence Modeling*,
https://arxiv.org/abs/2106.01345. Read in this order: `hyperparameters`, `forms` (observations and actions as numbers),
`network`, `sequences` (episodes and windows of them), `fitting` (what it learns with, and where it stands), `playing`
(what it remembers of an episode while it plays), `learner`.
"""
