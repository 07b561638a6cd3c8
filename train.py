"""Train a learner as an experiment file says, into a run folder: see ``python train.py --help``."""

from scml_gym.core.process import collect_rarely, fix_hash_seed

if __name__ == "__main__":
    fix_hash_seed()  # before the rest is imported, as it begins again
    collect_rarely()

from scml_gym.commands.train import EPILOG, train
from scml_gym.core.cli import command_app, run_cli

app = command_app()
app.command(epilog=EPILOG)(train)

if __name__ == "__main__":
    run_cli(app)
