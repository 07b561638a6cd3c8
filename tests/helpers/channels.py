"""What a process that cheats can write to."""

import contextlib
import os


def write_everywhere(content):
    """Into every channel that is open."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):
                os.write(int(name), content)
