"""D-NB: when will an opponent accept, learnt before and calibrated while playing; and a planner that uses it.

Source: "Design and Implementation of Hierarchical Reinforcement Learning Agent for Complex Dynamic Supply Chain
Management", chapters 3 to 5 (below: the thesis).
"""
