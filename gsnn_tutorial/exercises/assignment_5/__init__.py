"""The graded exercises of assignment 5, a fair three-way evaluation."""

from gsnn_tutorial.exercises.assignment_5.exercise_1 import fair_control
from gsnn_tutorial.exercises.assignment_5.exercise_2 import cka
from gsnn_tutorial.exercises.assignment_5.exercise_3 import beyond_chance
from gsnn_tutorial.exercises.assignment_5.exercise_4 import paired_interval
from gsnn_tutorial.exercises.assignment_5.exercise_5 import conclude

__all__ = ["fair_control", "cka", "beyond_chance", "paired_interval", "conclude"]
