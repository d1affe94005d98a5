"""Strategies of hypothesis that tests share."""

from typing import Any

from hypothesis import strategies as st

# Those of UTF-8, as `st.text()` has them, which asks the codec of each: seconds, in a new checkout.
CHARACTERS = st.characters(exclude_categories=["Cs"])


def texts(**sizes: Any) -> st.SearchStrategy[str]:
    """Return texts that UTF-8 has, of the sizes that `st.text` takes."""
    return st.text(CHARACTERS, **sizes)
