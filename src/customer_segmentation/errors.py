"""The error for input that a user must correct.

A module of its own, so that every other module can import it without a circle.
"""


class InputError(Exception):
    """Input is unusable: the message says what is wrong, where, and how to correct it.

    The command line prints the message on one line and exits with status 2.
    """
