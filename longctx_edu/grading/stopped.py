"""The end of a submission's turn."""

__all__ = ["Stopped", "TimeIsUp"]


class Stopped(BaseException):
    """The learner's process gives no more answers; the message says why.

    No `Exception`: a check turns those of the learner's function into sentences, and
    this one is not the function's.
    """


class TimeIsUp(Stopped):
    """It took longer than it may."""
