"""The graded exercises of assignment 4, the latent-factor loss."""

from gsnn_tutorial.course.graders.assignment_4.exercise_4 import (
    best_share,
    follow,
    in_step,
    pathway_scores,
    pull,
    sim_loss,
)

__all__ = ["in_step", "pathway_scores", "pull", "sim_loss", "follow", "best_share"]
