"""The commands of ``python -m gsnn_tutorial``, each in a file of its own."""
