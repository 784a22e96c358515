"""Texts that files and settings may hold, and what must never come of them.

Few inputs are tried by default, the same ones each time; ``make fuzz`` tries many, and
other ones each time. A test of this kind is in a file ``test_fuzz_*.py``.
"""

import os
import string
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import event as event_of_hypothesis
from hypothesis import strategies as st

from customer_segmentation.errors import InputError

settings.register_profile(
    "short",
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long",
    settings.get_profile("short"),
    max_examples=int(os.environ.get("FUZZ_EXAMPLES") or 3_000),
    derandomize=False,
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "short")
settings.load_profile(PROFILE)
# what came of the inputs, by test and outcome
OUTCOMES: Counter[tuple[str, str]] = Counter()
TRACE = "TRACE"

ODD_TEXTS = (
    *("", " ", "?", "NA", "nan", "None", "null", "-", "#REF!", "=1+1", "'", '"', '""'),
    *("7", " 7.0", "7.", ".0", "-3.0", "1e5", "1_000", "1,5", "1.000,50", "٣", "∞"),
    *("99999999999999999999", "0x10", "NaN", "inf", "-0", "12:30", "true"),
    *("2024-01-31", "31/01/2024", "01/31/2024", "1/2/2024", "2024-13-01", "0000-00-00"),
    *("2024-02-30T25:61:00", "2024-01-01T10:00:00-08:00", "9999-12-31", "23:30"),
    *("a,b", "a;b", "a\tb", "a|b", "line\nbreak", "line\r\nbreak", "\\", "\ufeffx"),
    *("Ünïcödé", "🦆" * 3, "x" * 300, "\u202eright to left", "\x0b\x0c", "a\u0000b"),
    *("1:2", "'; drop table x; --", "{{ 7 * 7 }}", "{% x %}", "<b>", "../../etc"),
)

texts = st.one_of(
    st.sampled_from(ODD_TEXTS),
    st.text(alphabet=string.printable, max_size=12),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
    st.dates().map(str),
)

# what YAML can hold
yaml_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)


def event(outcome: str) -> None:
    """Count what came of an input of the test that runs."""
    # such as "tests/python/landing/test_fuzz_files.py::test_csv (call)"
    test = os.environ.get("PYTEST_CURRENT_TEST", "?").partition("::")[2].split(" ")[0]
    OUTCOMES[test, outcome] += 1
    event_of_hypothesis(outcome)


def table_of_outcomes() -> list[str]:
    """Return a line for each test and outcome, with the number of inputs."""
    return [
        f"{test.removeprefix('test_'):<60} {outcome:<36} {count:>8,}"
        for (test, outcome), count in sorted(OUTCOMES.items())
    ]


def refused_or(accept: Callable[[], Any]) -> Any:
    """Return what a call returns, or None if it refuses its input with one message.

    Any other error fails the test: it would reach a user as a trace.
    """
    try:
        return accept()
    except InputError as error:
        message = str(error)
        assert message.strip(), "a refusal says why"
        assert "Traceback" not in message
        event("refused with one message")
        return None
    except Exception:
        event(TRACE)
        raise
