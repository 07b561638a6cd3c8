"""Learners, behind one protocol (`agents.base.Agent`), and studies; importing this package imports none of them."""

from __future__ import annotations

from scml_gym.core.registry import Registry

AGENTS = Registry("learner")
AGENTS.register("q-learning", "agents.q_learning:QLearning")
AGENTS.register("ppo", "agents.sb3.learner:PPO")
AGENTS.register("maskable-ppo", "agents.sb3.learner:MaskablePPO")
AGENTS.register("fast-ppo", "agents.fast_ppo.learner:FastPPO")
AGENTS.register("fast-maskable-ppo", "agents.fast_ppo.learner:FastMaskablePPO")
AGENTS.register("recurrent-ppo", "agents.sb3.learner:RecurrentPPO")
AGENTS.register("dqn", "agents.sb3.learner:DQN")
AGENTS.register("dnb", "agents.dnb.learner:DNB")
AGENTS.register("dcl", "agents.commitment.learner:DCLLearner")
AGENTS.register("ippo", "agents.commitment.learner:IPPOLearner")
AGENTS.register("mediated", "agents.commitment.learner:MediatedLearner")
AGENTS.register("moca", "agents.commitment.learner:MOCALearner")

STUDIES = Registry("study")
STUDIES.register("dqn-acceptance", "agents.studies.acceptance.study:AcceptanceStudy")
STUDIES.register("commitment", "agents.studies.commitment.study:CommitmentStudy")
STUDIES.register("penguin-safety", "agents.studies.safety.study:SafetyStudy")
