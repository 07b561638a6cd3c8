"""Learners, behind one protocol (`scml_gym.agents.base.Agent`), and studies; importing this package imports none.

The folder is ``agents/`` in the repository and the package ``scml_gym.agents`` once installed.
"""

from __future__ import annotations

from scml_gym.core.registry import Registry

AGENTS = Registry("learner")
AGENTS.register("q-learning", "scml_gym.agents.q_learning:QLearning")
AGENTS.register("ppo", "scml_gym.agents.sb3.algorithms:PPO")
AGENTS.register("maskable-ppo", "scml_gym.agents.sb3.algorithms:MaskablePPO")
AGENTS.register("fast-ppo", "scml_gym.agents.fast_ppo.learner:FastPPO")
AGENTS.register("fast-maskable-ppo", "scml_gym.agents.fast_ppo.learner:FastMaskablePPO")
AGENTS.register("recurrent-ppo", "scml_gym.agents.sb3.algorithms:RecurrentPPO")
AGENTS.register("dqn", "scml_gym.agents.sb3.algorithms:DQN")
AGENTS.register("behaviour-cloning", "scml_gym.agents.behaviour_cloning.learner:BehaviourCloning")
AGENTS.register("clone", "scml_gym.agents.clones.learner:CloneLearner")
AGENTS.register("decision-transformer", "scml_gym.agents.decision_transformer.learner:DecisionTransformerLearner")
AGENTS.register("executor", "scml_gym.agents.hrl_xf.learner:ExecutorLearner")
AGENTS.register("hrl-xf", "scml_gym.agents.hrl_xf.agent:HRLXF")
AGENTS.register("dnb", "scml_gym.agents.dnb.learner:DNB")
AGENTS.register("dcl", "scml_gym.agents.commitment.learner:DCLLearner")
AGENTS.register("independent-ppo", "scml_gym.agents.commitment.learner:IPPOLearner")
AGENTS.register("mappo", "scml_gym.agents.mappo.learner:MAPPO")
AGENTS.register("ippo", "scml_gym.agents.mappo.learner:IPPO")
AGENTS.register("mediated", "scml_gym.agents.commitment.learner:MediatedLearner")
AGENTS.register("moca", "scml_gym.agents.commitment.learner:MOCALearner")

STUDIES = Registry("study")
STUDIES.register("dqn-acceptance", "scml_gym.agents.studies.acceptance.study:AcceptanceStudy")
STUDIES.register("commitment", "scml_gym.agents.studies.commitment.study:CommitmentStudy")
STUDIES.register("penguin-safety", "scml_gym.agents.studies.safety.study:SafetyStudy")
STUDIES.register("hrl-xf", "scml_gym.agents.studies.hrl_xf.study:HRLXFStudy")
