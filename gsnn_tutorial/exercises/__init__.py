"""Checks for exercises: they answer a wrong attempt with a diagnosis, not with a bare False."""

from gsnn_tutorial.exercises.diagnosis import Exercise, Graded, exercise, graded

__all__ = ["Exercise", "Graded", "exercise", "graded"]
