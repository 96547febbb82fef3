"""The rooms of the package, from the ground up: a module imports only from those before its own."""

FLOORS = [
    "moved", "validate", "kernels", "wiring", "graph", "simulation", "sparse", "training", "gsnn", "regularizer",
    "evaluation", "attribution", "study", "exercises", "plots", "commands", "__main__",
]  # fmt: skip
