"""Checks for exercises: they answer a wrong attempt with a diagnosis, not with a bare False."""

from gsnn_tutorial.checks.exercise import Exercise, Graded

__all__ = ["Exercise", "Graded"]
