"""The page of the exceptions."""

from __future__ import annotations

import inspect

from blobnet import errors
from pages.markdown import block, page


def classes() -> list[type[Exception]]:
    """The exceptions, in the order of their module."""
    return [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


def pages() -> dict[str, str]:
    """The page."""
    options = "   :members:\n   :show-inheritance:"
    texts = [block("{eval-rst}", f".. autoexception:: blobnet.errors.{cls.__name__}\n{options}") for cls in classes()]
    return {"errors.md": page(
        "Errors", "Every error that a user can cause is one of these classes. It says where (a file with line and "
        "column, or a layer with its type), what was expected and what was got, and what to do; the attributes "
        "`where`, `expected`, `got` and `hint` hold these parts. The commands print it on one line and end with "
        "status 1; the library never ends the process.", *texts)}
