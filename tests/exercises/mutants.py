"""A small mutation tester: the right answer of an exercise, with one thing changed at a time.

A mutant that passes is a wrong answer that passes, unless it is another way to write the right one.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn],
}  # fmt: skip
NAMES = {
    "sum": "mean", "mean": "sum", "max": "min", "min": "max", "any": "all", "all": "any", "square": "abs",
    "abs": "square", "std": "var", "var": "std", "clamp_min": "clamp_max",
}  # fmt: skip
HARMLESS = {"tolist", "float", "item", "flatten", "astype", "keys", "array", "stack", "int", "bool", "sorted", "arange"}


def mutants(reference: Callable) -> Iterator[tuple[str, Callable]]:
    """(what was changed, the changed function) for each change of a reference and of its module's helpers."""
    helpers = {name: f for name, f in _used(reference, {}).items() if f is not reference}
    for name, function in {reference.__name__: reference, **helpers}.items():
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        tree.decorator_list = []
        seen = {ast.unparse(tree)}
        for k, node in enumerate(list(ast.walk(tree))):
            for change in _changes(node):
                mutant = copy.deepcopy(tree)
                change(list(ast.walk(mutant))[k])
                ast.fix_missing_locations(mutant)
                text = ast.unparse(mutant)
                if text not in seen and _is_python(text):
                    seen.add(text)
                    changed = sorted(set(text.splitlines()) - set(ast.unparse(tree).splitlines()))
                    yield f"{name}: {' '.join(changed).strip()}", _built(reference, helpers, name, text)


def _is_python(text: str) -> bool:
    try:
        compile(text, "<mutant>", "exec")
    except SyntaxError:  # a star without the call that it was in
        return False
    return True


def _used(function: FunctionType, found: dict) -> dict:
    """The functions of the same module that a function calls, and those that they call."""
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if isinstance(helper, FunctionType) and helper.__module__ == function.__module__ and name not in found:
            found[name] = helper
            _used(helper, found)
    return found


def _built(reference, helpers, name, text) -> Callable:
    """The reference, with one of the functions replaced by this text."""
    space = dict(reference.__globals__)
    for helper, function in {reference.__name__: reference, **helpers}.items():
        space[helper] = FunctionType(function.__code__, space, helper, function.__defaults__, function.__closure__)
    exec(compile(text, f"<mutant of {name}>", "exec"), space)
    return space[reference.__name__]


def _changes(node: ast.AST) -> Iterator[Callable]:
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in OPERATORS:
        yield lambda n: setattr(n, "op", OPERATORS[type(n.op)]())
    if isinstance(node, ast.BinOp):
        yield lambda n: _become(n, n.left)
        yield lambda n: _become(n, n.right)
    if isinstance(node, ast.BoolOp):
        for k in range(len(node.values)):
            yield lambda n, k=k: n.values.pop(k)
    if isinstance(node, ast.Compare):
        for other in COMPARISONS.get(type(node.ops[0]), ()):
            yield lambda n, other=other: n.ops.__setitem__(0, other())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda n: setattr(n, "value", n.value + 1)
        yield lambda n: setattr(n, "value", n.value - 1)
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield lambda n: setattr(n, "attr", NAMES[n.attr])
    if isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        yield lambda n: setattr(n, "id", NAMES[n.id])
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield lambda n: _become(n, n.value)
    if isinstance(node, ast.UnaryOp):
        yield lambda n: _become(n, n.operand)
    if isinstance(node, ast.IfExp):
        yield lambda n: _become(n, n.body)
        yield lambda n: _become(n, n.orelse)
    if isinstance(node, ast.Call):
        yield from _changed_call(node)
    if isinstance(node, ast.If):
        yield lambda n: setattr(n, "test", ast.Constant(True))
        yield lambda n: setattr(n, "test", ast.Constant(False))
    if isinstance(node, ast.comprehension) and node.ifs:
        yield lambda n: n.ifs.clear()
    if isinstance(node, ast.For):
        yield lambda n: n.body.__setitem__(-1, ast.Pass())
    for bound in ("lower", "upper"):
        if isinstance(node, ast.Slice) and getattr(node, bound):
            yield lambda n, bound=bound: setattr(n, bound, None)


def _changed_call(node: ast.Call) -> Iterator[Callable]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if isinstance(node.func, ast.Attribute) and name not in HARMLESS | {"append"}:
        yield lambda n: _become(n, n.func.value)
    if len(node.args) == 1 and name not in HARMLESS:
        yield lambda n: _become(n, n.args[0])
    for k in range(len(node.keywords)):
        yield lambda n, k=k: n.keywords.pop(k)


def _become(node: ast.AST, other: ast.AST):
    """Turn a node of a tree into another one."""
    other = copy.deepcopy(other)
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)
