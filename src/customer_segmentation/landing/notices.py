"""What landing tells the terminal: notices, and how far it is."""

import time

import click

SECONDS_BETWEEN_UPDATES = 0.2


def report(message: str) -> None:
    """Write one line to stderr."""
    click.echo(message, err=True)


class RowProgress:
    """Rows landed so far, on one line that keeps changing; silent off a terminal.

    Parameters
    ----------
    label : str
        What the rows are of.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._is_shown = click.get_text_stream("stderr").isatty()
        self._updated_at = 0.0

    def update(self, n_rows: int) -> None:
        """Show the number of rows, unless that was done a moment ago."""
        now = time.monotonic()
        if self._is_shown and now - self._updated_at >= SECONDS_BETWEEN_UPDATES:
            self._updated_at = now
            click.echo(f"\r{self._label}: {n_rows:,} rows", nl=False, err=True)

    def clear(self) -> None:
        """Wipe the line, so that a whole one can take its place."""
        if self._is_shown:
            click.echo("\r\033[K", nl=False, err=True)
