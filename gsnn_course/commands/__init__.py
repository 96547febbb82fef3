"""The commands that this package adds to ``python -m gsnn_tutorial``: course, book, cost, fresh and publish."""
