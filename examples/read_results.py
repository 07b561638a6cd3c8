"""Reading what ``evaluate.py`` wrote, with pandas.

    python examples/read_results.py demo/evaluation

``scores.csv`` has one row for each factory of each play of a configuration (a world, played as often as it has levels,
with everyone on each of them in turn). All that `evaluate.py` prints is made from it, and so is this.
"""

import sys
from pathlib import Path

import pandas as pd

from scml_gym.evaluation.statistics import compare

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/evaluation")
table = pd.read_csv(folder / "scores.csv")
scored = table[table["role"] == "competitor"]

# The observation is the configuration: factories of one world are not independent of each other.
scores = scored.pivot_table(index="configuration", columns="competitor", values="score")
best_first = scores.mean().sort_values(ascending=False).index
print("Mean score and standard error over", len(scores), "configurations")
print(pd.DataFrame({"score": scores.mean(), "error": scores.sem()}).loc[best_first].round(4), end="\n\n")

print("By level")
print(scored.pivot_table(index="competitor", columns="level", values="score").loc[best_first].round(4), end="\n\n")

print("Where the money goes, as shares of the initial balance")
causes = ("revenue", "supplies", "production", "disposal", "storage", "shortfall")  # what is left over costs one of two
parts = [cause for cause in causes if cause in table]
shares = scored.assign(**{part: scored[part] / scored["initial_balance"] for part in parts})
print(shares.pivot_table(index="competitor", values=parts).loc[best_first, parts].round(4), end="\n\n")

if len(best_first) > 1:
    result = compare(*scores[best_first[:2]].dropna().to_numpy().T)
    interval = f"95 % interval {result.low:+.4f} to {result.high:+.4f}"
    print(
        f"{best_first[0]} - {best_first[1]}: {result.difference:+.4f}, {interval}, paired t-test p = {result.p_t:.3g}"
    )
