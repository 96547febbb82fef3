"""One look for all figures.

Colours are Okabe and Ito's, told apart by colour-blind readers too, and nothing is told by colour
alone: node types differ in shape, arms in marker (``study.arms`` has them), spurious edges are dashed. No text is
smaller than 10 points.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from PIL import Image

NODE_STYLE = {
    "input": {"color": "#56B4E9", "marker": "s"},
    "function": {"color": "#009E73", "marker": "o"},
    "output": {"color": "#E69F00", "marker": "D"},
}
SPURIOUS = "#D55E00"
LINES = [("#0072B2", "s", "-"), ("#D55E00", "^", "--"), ("#009E73", "D", ":"), ("#000000", "o", "-.")]  # of no arm


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """``ax``, or the axes of a new figure of so many inches."""
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def tidy(ax: Axes) -> Axes:
    """No frame where nothing is, and a light grid to read values by."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.25)
    return ax


def show(figure: Figure, alt: str):
    """Display a figure in a notebook with a text for those who cannot see it, and close it.

    The text is in an HTML image, which JupyterLab, Colab, nbconvert and Sphinx prefer, and in the metadata of the PNG
    beside it, for what shows no HTML; a terminal prints the text itself. GitHub shows a notebook as a static page
    without its scripts; whether the text survives there is not known, as its way of choosing among outputs is not
    documented.

    Raises ValueError without that text, or if an axis that is drawn has no label (the label of axes
    that share it will do, and so will ticks that are words).
    """
    from IPython.core.pylabtools import print_figure
    from IPython.display import display

    if not alt.strip():
        raise ValueError("alt must say in words what is to be seen, got nothing")
    for ax in figure.axes:
        named_x = any(other.get_xlabel() for other in ax.get_shared_x_axes().get_siblings(ax)) or says_it(ax.xaxis)
        named_y = any(other.get_ylabel() for other in ax.get_shared_y_axes().get_siblings(ax)) or says_it(ax.yaxis)
        if ax.axison and ax.get_label() != "<colorbar>" and not (named_x and named_y):
            raise ValueError(f"figure must have a label on every axis; axes titled {ax.get_title()!r} lack one")
    png = b64encode(smaller(print_figure(figure, "png"))).decode()
    image = f'<img alt="{escape(alt)}" src="data:image/png;base64,{png}" style="max-width: 100%">'
    display({"text/plain": alt, "text/html": image, "image/png": png}, raw=True, metadata={"image/png": {"alt": alt}})
    plt.close(figure)


def smaller(png: bytes) -> bytes:
    """A PNG with its 256 best colours, about a third of the size: a notebook holds each of its figures twice."""
    file = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(256).save(file, "png", optimize=True)
    return file.getvalue()


def says_it(axis: Axis) -> bool:
    """True if all ticks of an axis are words, so that it needs no label."""
    ticks = [tick.get_text() for tick in axis.get_ticklabels()]
    return bool(ticks) and all("$" not in tick and any(map(str.isalpha, tick)) for tick in ticks)  # 10^2 has a $


def draw_floor(ax: Axes, floor: float):
    """A dotted line at the error that noise alone costs; call ``ax.legend`` after it."""
    ax.axhline(floor, color="#555555", linestyle=(0, (1, 1)), linewidth=1.2, label="noise floor")


def short(name: str) -> str:
    """f_2_1 -> f2.1: room for the name inside its node."""
    head, *numbers = name.split("_")
    return head + ".".join(numbers)


def spoken(name: str) -> str:
    """half_square -> half square: the name of a function, in words."""
    return name.replace("_", " ")


def bend(source, target, others) -> float:
    """The bend of an arrow that keeps clear of ``others``, points (n, 2) on paper: the ``rad`` of an arc3."""
    source, target, others = np.asarray(source), np.asarray(target), np.asarray(others)
    t, across = np.linspace(0.1, 0.9, 17)[:, None], (target - source)[::-1] * (1, -1)

    def worth(rad: float) -> float:
        control = (source + target) / 2 + rad * across
        curve = (1 - t) ** 2 * source + 2 * t * (1 - t) * control + t**2 * target
        clear = np.linalg.norm(curve[:, None] - others, axis=-1).min()
        return round(min(0.4, clear) - 0.1 * abs(rad), 2)  # of two that are about as good, the first

    return max((0.12, -0.12, 0.2, -0.2, 0.3, -0.3, 0.4, -0.4, 0.5, -0.5), key=worth)


def stacked(words: str) -> str:
    """Words one below the other: room for them under a narrow place of the x axis."""
    return words.replace(" ", "\n")
