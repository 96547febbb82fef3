"""What ``python -m gsnn_tutorial`` does: each command in a file of its own."""
