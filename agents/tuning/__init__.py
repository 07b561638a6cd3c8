"""Tuning: settings of a learner searched by Optuna.

Read in this order: `config` (what is searched, and how a trial is valued), `search` (samplers and pruners), `trial`
(one training, as a function), `study` (trials one portion after the other, kept in a file).
"""
