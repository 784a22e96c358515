"""The one exception that a user of the command line gets to see."""


class InputError(Exception):
    """Input that cannot be used: says what is wrong, where, and how to mend it.

    The command line prints the message on one line and exits with status 2.
    """
