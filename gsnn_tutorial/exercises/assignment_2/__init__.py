"""The graded exercises of assignment 2, simulation: levels, strongest, scm, shared_noise, through, limits."""

from gsnn_tutorial.exercises.assignment_2.exercise_1 import levels
from gsnn_tutorial.exercises.assignment_2.exercise_2 import strongest
from gsnn_tutorial.exercises.assignment_2.exercise_3 import scm
from gsnn_tutorial.exercises.assignment_2.exercise_4 import shared_noise
from gsnn_tutorial.exercises.assignment_2.exercise_5 import through
from gsnn_tutorial.exercises.assignment_2.exercise_6 import limits

__all__ = ["levels", "strongest", "scm", "shared_noise", "through", "limits"]
