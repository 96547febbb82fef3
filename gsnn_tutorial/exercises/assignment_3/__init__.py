"""The graded exercises of assignment 3, a GSNN layer: read_in, hear, group_norm, layer, linear_mse, fit.

``Layer`` is the class of a right answer to ``layer``.
"""

from gsnn_tutorial.exercises.assignment_3.exercise_1 import read_in
from gsnn_tutorial.exercises.assignment_3.exercise_2 import hear
from gsnn_tutorial.exercises.assignment_3.exercise_3 import group_norm
from gsnn_tutorial.exercises.assignment_3.exercise_4 import Layer, layer
from gsnn_tutorial.exercises.assignment_3.exercise_5 import linear_mse
from gsnn_tutorial.exercises.assignment_3.exercise_6 import fit

__all__ = ["read_in", "hear", "group_norm", "Layer", "layer", "linear_mse", "fit"]
