"""The code of a notebook's cells, and which names running a cell binds."""

import ast
import re

import jupytext

SCOPES = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def code(source):
    """[(a cell's code without its magics, its tags)] of a notebook."""
    found = [cell for cell in jupytext.read(source).cells if cell.cell_type == "code"]
    return [(re.sub(r"^[%!].*", "", cell.source, flags=re.M), cell.metadata.get("tags", [])) for cell in found]


def bound(tree, imports=True):
    """The names that running a cell binds at its top level."""
    names, todo = set(), list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias) and imports:
            names.add((node.asname or node.name).split(".")[0])
        if not isinstance(node, SCOPES):
            todo += ast.iter_child_nodes(node)
    return names
