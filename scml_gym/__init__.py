"""scml_gym: SCML negotiations as Gymnasium and PettingZoo environments, and the judging of learners on them."""

from scml_gym.registration import register_environments

__version__ = "0.1.0"

register_environments()
