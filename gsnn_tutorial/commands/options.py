"""How an option is written down."""

from __future__ import annotations


def option(group, flag: str, text: str, default, **settings):
    """An option whose help ends with its default; a default in words stands for None."""
    if isinstance(default, (int, float)):
        settings |= {"type": type(default), "metavar": "NUMBER"}
    in_words = isinstance(default, str) and " " in default
    group.add_argument(flag, help=f"{text} (default: {default})", default=None if in_words else default, **settings)
