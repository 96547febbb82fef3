"""Pages that read well without a network: a pupil's feedback, and the class at a glance."""

from __future__ import annotations

import html
import re

import pandas as pd
from latex2mathml.converter import convert

CODE = re.compile(r"(<(?:pre|code|script|style|textarea)\b.*?</(?:pre|code|script|style|textarea)>|<[^>]+>)", re.S)
MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|(?<![\\$\w])\$(?!\s)([^$]+?)(?<!\s)\$(?![\d$])|\\\((.+?)\\\)", re.S)
ENTRY = re.compile(r'(<a href="#([\w-]+?)(?:-test)?">)(?:Test cell|Written response)</a>')  # of a page's contents
REMOTE = re.compile(
    r"""<script\b[^>]*\bsrc=["']https?:[^>]*>\s*</script>|<link\b[^>]*\bhref=["']https?:[^>]*>"""
    r"""|<script\b[^>]*>(?:(?!</script>).)*(?:MathJax|mathjax|require\.config)(?:(?!</script>).)*</script>""",
    re.S,
)
POLICY = (  # for the browser: no script runs and nothing is fetched, whatever a pupil wrote
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; form-action 'none'; base-uri 'none'\">"
)
STYLE = """<style>
img, svg, video { max-width: 100% !important; height: auto; }
.output_area pre, .jp-OutputArea-output pre, pre { white-space: pre-wrap; overflow-wrap: anywhere; }
table { display: block; max-width: 100%; overflow-x: auto; }
math[display="block"] { margin: 0.8em 0; }
</style>"""
BARS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
td, th {{ text-align: left; padding: 0.15em 1em 0.15em 0; vertical-align: top; }}
meter {{ width: 14em; }}
</style><h1>{title}</h1>{body}</html>
"""


def offline(page: str) -> str:
    """A page of nbgrader's with its formulas as MathML, figures that fit, no script that runs, and nothing fetched.

    Its contents name the exercises, for which nbgrader has "Test cell" each time.
    """
    page = REMOTE.sub("", ENTRY.sub(r"\1\2</a>", page))
    parts = CODE.split(page)  # text at even places, tags and code at odd ones
    parts[::2] = [MATH.sub(_formula, text) for text in parts[::2]]
    return "".join(parts).replace("<head>", "<head>" + POLICY, 1).replace("</head>", STYLE + "</head>", 1)


def _formula(found: re.Match) -> str:
    block, text = found[1] or found[2], next(group for group in found.groups() if group)
    try:
        return convert(html.unescape(text), display="block" if block else "inline")
    except Exception:  # what a pupil writes need not be LaTeX
        return found[0]


def class_page(name: str, table: pd.DataFrame, answers: pd.DataFrame, most: dict, absent) -> str:
    """A class at a glance: the spread of the totals, each exercise's rate, the commonest diagnoses.

    ``most``: {exercise: the most points that it gives}.
    """
    there = table[~absent]
    of = float(table["of"].max())
    waits = int(there[[*most]].isna().any(axis=1).sum())
    text = f"<p>{len(there)} of {len(table)} pupils handed in; {int(absent.sum())} did not."
    if len(there):
        totals = there["total"]
        text += f" Points: median {totals.median():g}, from {totals.min():g} to {totals.max():g}, of {of:g}."
    text += f" {waits} wait to be graded by hand: their totals are not complete." if waits else ""
    edges = [of * k / 10 for k in range(11)]
    counts = pd.cut(there["total"], edges, include_lowest=True).value_counts(sort=False)
    bar = f'<meter max="{max(1, len(there))}" value="%d"></meter>'
    spread = [(f"{a:g} to {b:g}", bar % count, count) for a, b, count in zip(edges, edges[1:], counts)]
    shares = {exercise: there[exercise].mean() / points if points else 1.0 for exercise, points in most.items()}
    shares = [
        (html.escape(exercise), f'<meter value="{rate:.3f}"></meter>', f"{rate:.0%}")
        for exercise, rate in shares.items()
        if there[exercise].notna().any()
    ]
    common = answers.groupby(["cell", "diagnosis"]).size().sort_values(ascending=False).head(15)
    common = [(size, *map(html.escape, words)) for words, size in common.items()]
    text += "</p>" + _table("How the totals are spread", ("points", "", "pupils"), spread)
    text += _table("Each exercise: the share of its points", (), shares)
    text += _table("The commonest diagnoses: what to repeat", ("pupils", "exercise", "diagnosis"), common)
    return BARS.format(title=html.escape(f"{name}: the class"), body=text)


def _table(title: str, head: tuple, rows: list[tuple]) -> str:
    cells = "<tr>" * bool(head) + "".join(f"<th>{name}" for name in head)
    cells += "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    return f"<h2>{title}</h2><table>{cells}</table>"
