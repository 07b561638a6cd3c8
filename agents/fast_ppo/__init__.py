"""PPO at the speed of the compiled world: Stable-Baselines3's algorithm with forward and backward passes written out.

Read in this order: `networks` (parameters as one array, and the two kinds of actor), `losses` (choices and what is learnt
from them), `passes` (chunks that threads share), `algorithm` (rollouts, advantages, Adam), `learner` (runs and
checkpoints).
"""
