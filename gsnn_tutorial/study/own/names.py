"""Matching names: exactly, or by one stated rule, the same except for case and blanks around it, if one node fits."""

from __future__ import annotations

from collections.abc import Iterable

RULE = "the same but for case and surrounding blanks"


def folded(name) -> str:
    """A name without surrounding blanks and case."""
    return str(name).strip().casefold()


class Names:
    """The names of some nodes, and which of them another name means.

    ``loose`` gathers (given, node) wherever the rule was needed; ``unclear`` holds the names that fit several nodes.
    """

    def __init__(self, nodes: Iterable[str]):
        self.nodes = list(dict.fromkeys(nodes))
        self._exact = set(self.nodes)
        self._loose: dict[str, list[str]] = {}
        for node in self.nodes:
            self._loose.setdefault(folded(node), []).append(node)
        self.loose: dict[str, str] = {}
        self.unclear: dict[str, list[str]] = {}

    @property
    def alike(self) -> list[list[str]]:
        """Groups of nodes whose names differ in case or blanks only."""
        return [group for group in self._loose.values() if len(group) > 1]

    def find(self, name) -> str | None:
        """The node that ``name`` means: itself, else the only one that the rule allows, else None."""
        name = str(name)
        if name in self._exact:
            return name
        fitting = self._loose.get(folded(name), [])
        if len(fitting) > 1:
            self.unclear[name] = fitting
        if len(fitting) != 1:
            return None
        self.loose[name] = fitting[0]
        return fitting[0]
