"""HRL-XF: a hierarchical agent of the Standard track, whose parts are of use by themselves.

L1 is the shield (`scml_gym.standard.safety`). L3, the executor, negotiates with one partner at a time by the goals of
the day. Its files in order: `observing` (what it is shown), `recording` (how experts did it), `negotiations` (that as a
table in a file), `hyperparameters`, `leaks` (whether the label stands in the input), `executing` (how it plays),
`learner`, `measuring` (how well recorded decisions are met).
"""
