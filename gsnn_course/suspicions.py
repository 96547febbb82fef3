"""The signs in an answer that a person should look at: they are pointed out, and cost nothing by themselves."""

from __future__ import annotations

import re

SIGNS = {
    r"\.(reference|mistakes)\b": "uses .reference, where a check keeps its own answer",
    r"\bgsnn_tutorial\.(checks|course|exercises)\b|from gsnn_tutorial import .*\b(checks|course|exercises)\b"
    r"|\bgsnn_course\b|assignment_\d\s+as\b|import_module\(.*(checks|course|graders|exercises)":
        "imports the checks or the graders",
    r"\b_getframe\b|\bcurrentframe\b|\bf_(back|locals|globals)\b|\binspect\.stack\b|\bgc\.get_(objects|referrers)\b":
        "walks the frames of its callers",
    r"\bmeta_path\b|\bpath_hooks\b|\b__import__\b|\bsys\.modules\b|\bsetattr\(\s*builtins\b|\bbuiltins\.\w+\s*=":
        "changes how names are imported",
    r"\b(input|ast)_transformers?\w*\b|\bset_custom_exc\b|\bevents\.register\b|\brun_cell\b|\binput_splitter\b":
        "changes how cells are run",
    r"\bsqlite3?\b|\bsqlalchemy\b|\bnbgrader\b|\bgradebook\b": "reaches for the gradebook",
    r"\bsubprocess\b|\bos\.(system|fork|exec\w+|popen|kill)\b|\bmultiprocessing\b|\bsocket\b|\bctypes\b|^\s*[!%]{1,2}\w":
        "starts processes or reaches for the system",
    r"(?<![.\w])(exec|eval|compile)\(|\bmarshal\b|\bb64decode\b": "runs code that it makes",
}  # fmt: skip


def suspicions(answers: list[str]) -> list[str]:
    """The signs in the code of a pupil's own cells."""
    code = "\n".join(line for text in answers for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [f"{words}: look at it" for sign, words in SIGNS.items() if re.search(sign, code, re.M)]
