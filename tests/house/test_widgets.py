"""A widget works whenever it is moved: after Run All too, and with the arrow keys."""

import ast
from pathlib import Path

import pytest
from cells import bound, code

SOURCES = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.py"))
ARROW_KEYS = {"FloatSlider", "IntSlider", "SelectionSlider", "ToggleButtons", "Checkbox"}


def cells(source):
    """The parsed cells of code of a notebook, and which of them hold a widget."""
    return [(ast.parse(text), "widget" in tags) for text, tags in code(source)]


def interacts(tree):
    """(what a call of interact is given to call, the call) in a cell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1].startswith("interact"):
            callback = node.args[0].id if node.args else None
            for definition in ast.walk(tree):
                if isinstance(definition, ast.FunctionDef) and node in definition.decorator_list:
                    callback = definition.name
            yield callback, node


def read_when_moved(callback, functions):
    """The global names that a callback reads, those that its functions read included."""
    seen, names, todo = set(), {callback}, [callback]
    while todo:
        name = todo.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        inside = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
        read = {node.id for node in inside if isinstance(node.ctx, ast.Load)}
        own = {arg.arg for node in ast.walk(functions[name]) if isinstance(node, ast.arg) for arg in [node]}
        read -= own | {node.id for node in inside if isinstance(node.ctx, ast.Store)}
        names |= read
        todo += read
    return names


def rebound(parsed):
    """(callback, names that it reads and that a later cell binds) for every widget."""
    functions = {}
    for number, (tree, _) in enumerate(parsed):
        functions |= {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        later = set().union(*(bound(other) for other, _ in parsed[number + 1 :]))
        for callback, _ in interacts(tree):
            yield callback, sorted(read_when_moved(callback, functions) & later)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_callback_reads_a_name_that_a_later_cell_binds_again(source):
    assert [(callback, names) for callback, names in rebound(cells(source)) if names] == []


def test_a_name_that_is_bound_again_is_found_through_a_function():
    texts = [
        "times = 1",
        "def f(): return times\ndef at(x): return f() + x\ninteract(at, x=(1, 2))",
        "for times in (): 0",
    ]
    assert list(rebound([(ast.parse(text), True) for text in texts])) == [("at", ["times"])]
    assert list(rebound([(ast.parse(text), True) for text in texts[:2]])) == [("at", [])]
    hidden = "def other(): times = 2\n[times for times in ()]"
    assert list(rebound([(ast.parse(text), True) for text in [*texts[:2], hidden]])) == [("at", [])]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_widget_keeps_the_arrow_keys_in_jupyterlab(source):
    """A list or a dict becomes a Dropdown, whose arrow keys move the notebook's selection instead."""
    calls = [(tree, call, widget) for tree, widget in cells(source) for _, call in interacts(tree)]
    if not calls:
        pytest.skip("a chapter without a widget")
    for tree, call, widget in calls:
        assert widget, "a cell with a widget has the tag"
        for keyword in call.keywords:
            value = keyword.value
            kind = ast.unparse(value.func).split(".")[-1] if isinstance(value, ast.Call) else type(value).__name__
            assert keyword.arg and (kind in ARROW_KEYS or kind in ("Tuple", "Constant")), ast.unparse(call)
