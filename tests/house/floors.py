"""The rooms of the package."""

# From the ground up: a module imports only from those before it.
FLOORS = [
    "arrays", "validate", "files", "kernels", "wiring", "graph", "simulation", "sparse", "node", "gsnn", "training",
    "regularizer", "evaluation", "attribution", "priors", "study", "own", "worked", "checks", "course", "plots",
    "bench", "publishing", "commands", "__main__",
]  # fmt: skip
