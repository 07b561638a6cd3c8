"""Many small DQNs trained at once: the algorithm of Stable-Baselines3's DQN on networks stacked in one tensor.

`train` runs it, `DQNBatchHyperparameters` are its hyperparameters, `QNetworks` what comes out. It is for studies, in
which the same small problem is learnt hundreds of times; a single learner is trained by `train.py` with
`scml_gym.agents.sb3.algorithms.DQN`.
"""

from scml_gym.agents.dqn_batch.hyperparameters import DQNBatchHyperparameters
from scml_gym.agents.dqn_batch.networks import QNetworks
from scml_gym.agents.dqn_batch.trainer import Rows, train

__all__ = ["DQNBatchHyperparameters", "QNetworks", "Rows", "train"]
