"""Waiting for something to come true, with a deadline: the only way a test waits."""

import time


def until(what, condition, seconds=10.0, pause=0.02):
    """Asks `condition` until it answers something true, and returns that; fails after `seconds`, saying `what`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(pause)
