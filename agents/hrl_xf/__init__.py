"""HRL-XF: a hierarchical agent of the Standard track, whose parts are of use by themselves.

L1 is the shield (`scml_gym.standard.safety`), L2 a manager of ``StandardDaily-v0``. L3, the executor, negotiates with
one partner at a time by the goals of the day. Its files in order: `observing` (what it is shown), `recording` (how
experts did it), `negotiations` (that as a table in a file), `hyperparameters`, `leaks` (whether the label stands in the
input), `eagerness` (alpha of recorded decisions), `executing` (how it plays), `learner`, `measuring` (how well recorded
decisions are met), `heeding` (what alpha changes).

L4 is the monitor and the coordinator: `monitor` (what is shown of all negotiations), `coordinator` (the network),
`alphas` (ways to alpha), `distilling`. The whole agent: `managing` (the manager's goals as the executor's), `hierarchy`
(how all parts play together), `agent_hyperparameters`, `stages` (what is trained before it plays), `rollouts` and
`improving` (how it learns from play), `past` (its past copies), `agent` (the learner).
"""
