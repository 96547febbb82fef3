"""The graded exercises of assignment 4, the latent-factor loss: in_step, pathway_scores, pull, sim_loss, follow,
best_share."""

from gsnn_tutorial.exercises.assignment_4.exercise_1 import in_step
from gsnn_tutorial.exercises.assignment_4.exercise_2 import pathway_scores
from gsnn_tutorial.exercises.assignment_4.exercise_3 import pull
from gsnn_tutorial.exercises.assignment_4.exercise_4 import sim_loss
from gsnn_tutorial.exercises.assignment_4.exercise_5 import follow
from gsnn_tutorial.exercises.assignment_4.exercise_6 import best_share

__all__ = ["in_step", "pathway_scores", "pull", "sim_loss", "follow", "best_share"]
