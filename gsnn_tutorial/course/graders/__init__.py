"""The graders of the assignments: for each exercise a right answer, cases, and the mistakes that are named."""
