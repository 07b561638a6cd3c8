"""The processes of a test run, forked (`tests.helpers.forks`): each would load torch and scml anew."""

import os

from execnet import gateway_base, gateway_io

from tests.helpers import forks


class ForkedIO(gateway_io.Popen2IOMaster):
    """How execnet reaches a process that was forked. It runs what a new interpreter does, with hash seed 0."""

    def __init__(self, args, execmodel):
        command = [args[0], *args[args.index("-c") :]]  # pipes are not buffered in its ways
        # tests say themselves whose workers are forked
        self.popen = forks.start_worker(command, dict(os.environ), "as users do")
        gateway_base.Popen2IO.__init__(self, self.popen.stdin, self.popen.stdout, execmodel)


def fork_from_now():
    """Have all processes that this one starts for tests fork from one."""
    forks.start_for_all()
    gateway_io.Popen2IOMaster = ForkedIO
