"""A pupil goes back and runs a cell again: no later cell may have given its names to something else."""

import ast
import symtable
from collections import defaultdict
from pathlib import Path

import pytest
from cells import bound, code

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted([*NOTEBOOKS.glob("[0-9]*.py"), *(NOTEBOOKS / "assignments" / "source").glob("*.py")])


def binds(text):
    """The names that running a cell binds, imports left out: a module is the same each time."""
    return bound(ast.parse(text), imports=False)


def reads(text):
    """The names that a cell takes from other cells: those it does not bind, and those it needs to bind them anew."""
    read, todo = set(), [symtable.symtable(text, "cell", "exec")]
    while todo:
        table = todo.pop()
        module = table.get_type() == "module"
        read |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (module or s.is_global())}
        todo += table.get_children()
    anew, before = set(), set()
    for statement in ast.parse(text).body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            loaded = {node.id for node in ast.walk(statement.value or statement) if isinstance(node, ast.Name)}
            anew |= (used if isinstance(statement, ast.AugAssign) else loaded) & binds(ast.unparse(statement)) - before
        before |= binds(ast.unparse(statement))
    return (read - before) | anew


def shared(cells):
    """(name, cells that bind it, cells that read what another cell has bound), where it is bound by two cells."""
    binding = defaultdict(list)
    for number, text in enumerate(cells):
        for name in binds(text):
            binding[name].append(number)
    read = [reads(text) for text in cells]
    for name, by in sorted(binding.items()):
        reading = [number for number, names in enumerate(read) if name in names]
        if len(by) > 1 and reading:
            yield name, by, reading


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_name_that_one_cell_reads_from_another_is_bound_by_one_cell_only(source):
    assert list(shared([text for text, _ in code(source)])) == []


def test_a_name_that_two_cells_bind_is_found_wherever_a_third_reads_it():
    assert list(shared(["a = 1", "a", "a = 2"])) == [("a", [0, 2], [1])]
    assert list(shared(["a = 1", "def f():\n    return a", "for a in (): pass"])) == [("a", [0, 2], [1])]
    assert list(shared(["a = 1", "a = a + 1"])) == [("a", [0, 1], [1])]
    assert list(shared(["a = 1", "a += 1"])) == [("a", [0, 1], [1])]


def test_a_cell_that_binds_a_name_before_it_reads_it_may_share_it():
    assert list(shared(["for a in (1, 2):\n    print(a)", "a = 3\nprint(a)", "[a for a in (1, 2)]"])) == []
    assert list(shared(["import numpy as a", "a.pi", "import numpy as a"])) == []
