"""Matching names: exactly, or by one stated rule, the same except for case and blanks around it, if one node fits."""

from __future__ import annotations

from collections.abc import Iterable

RULE = "the same but for case and surrounding blanks"


class Names:
    """The names of some nodes, and the node that another name means.

    ``loose`` gathers 'given = node' for each name that needed the rule; ``unclear`` holds the nodes for each name that
    fits several.
    """

    def __init__(self, nodes: Iterable[str]):
        self._exact = dict.fromkeys(nodes)
        self._folded: dict[str, list[str]] = {}
        for node in self._exact:
            self._folded.setdefault(node.strip().casefold(), []).append(node)
        self._loose: dict[str, str] = {}
        self.unclear: dict[str, list[str]] = {}

    @property
    def alike(self) -> list[list[str]]:
        """Groups of nodes whose names differ in case or blanks only."""
        return [group for group in self._folded.values() if len(group) > 1]

    @property
    def loose(self) -> list[str]:
        """The names that were found by the rule, with their nodes."""
        return [f"{name} = {node}" for name, node in self._loose.items()]

    def find(self, name) -> str | None:
        """The node that ``name`` means: itself, else the only one that the rule allows, else None."""
        name = str(name)
        if name in self._exact:
            return name
        fitting = self._folded.get(name.strip().casefold(), [])
        if len(fitting) > 1:
            self.unclear[name] = fitting
        if len(fitting) != 1:
            return None
        return self._loose.setdefault(name, fitting[0])
