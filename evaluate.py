"""Judge competitors in the real league simulation, look into recorded worlds, run a study, or compare trainings.

See ``python evaluate.py --help``, and ``python evaluate.py analyze --help``, likewise of the other commands.
"""

from scml_gym.commands.program import begin_process, evaluate_app
from scml_gym.core.cli import run_cli

app = evaluate_app()

if __name__ == "__main__":
    begin_process()
    run_cli(app)
