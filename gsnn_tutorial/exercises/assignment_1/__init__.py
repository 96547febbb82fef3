"""The graded exercises of assignment 1, graph and masks: membership, inside, self_loops, win_mask, wout, reach."""

from gsnn_tutorial.exercises.assignment_1.exercise_1 import membership
from gsnn_tutorial.exercises.assignment_1.exercise_2 import inside
from gsnn_tutorial.exercises.assignment_1.exercise_3 import self_loops
from gsnn_tutorial.exercises.assignment_1.exercise_4 import win_mask
from gsnn_tutorial.exercises.assignment_1.exercise_5 import wout
from gsnn_tutorial.exercises.assignment_1.exercise_6 import reach

__all__ = ["membership", "inside", "self_loops", "win_mask", "wout", "reach"]
