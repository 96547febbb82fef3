"""The paired study, from data over arms and seeds to a verdict in words: one door for all that chapters take of it."""

from importlib import import_module

# A name is imported from its file when it is taken: statistics and figures load for seconds, and not everyone needs
# them. Nothing here may have the name of a file.
PLACES = {
    "arms": ("ARMS", "OWN_ARMS", "USUAL_ARMS", "arm_named", "arms_in_words"),
    "files": ("read_csv", "write_csv"),
    "inference": ("FEWEST_SEEDS", "contrasts", "holm", "interval", "non_inferior", "p_value", "paired_differences",
                  "power_curve", "seeds_needed", "summarize", "summarize_by"),
    "metrics": ("METRICS", "USUAL_METRICS", "metric_named"),
    "named": ("LARGE", "LOO_CLAIM", "PUBLISHED_FRESH", "PUBLISHED_SEEDS", "SECOND_CONFIRMATION"),
    "own.asked": ("asked_inputs", "heard", "restricted_errors"),
    "own.example": ("write_example",),
    "own.hepatocytes": ("CAREFUL", "CARELESS", "FOLDER", "everywhere", "hepatocytes", "stimuli"),
    "own.network": ("own_network",),
    "own.rivals": ("RIVALS", "USUAL_RIVALS", "group_mean", "mlp", "pairwise", "ridge"),
    "own.sachs": ("sachs",),
    "own.own_graph": ("path_signs", "signed_membership"),
    "own.splits": ("OwnProblem",),
    "paired": ("paired_study",),
    "plans": ("TUNED_CLAIMS", "TUNED_RECIPE", "TUNED_SEEDS", "TUNING"),
    "problem": ("Problem",),
    "published": ("LAMBDA_SIM", "MODEL", "TRAINING", "published_draw", "published_log", "published_table", "replay",
                  "side_by_side"),
    "recipe": ("OWN_RECIPE", "Recipe"),
    "replicas": ("fitted", "output_errors"),
    "saved": ("STUDIES", "saved_settings", "saved_study"),
    "share": ("share_of_the_way",),
    "speed": ("random_model", "saved_bench", "slopes", "training_step"),
    "tuning": ("Tuning", "own_tuning", "trainings"),
    "union": ("GSNNUnion",),
    "verdicts": ("in_words", "judged", "verdict", "verdict_table"),
    "worlds": ("World",),
}  # fmt: skip
__all__ = sorted(name for names in PLACES.values() for name in names)


def __getattr__(name: str):
    for place, names in PLACES.items():
        if name in names:
            return getattr(import_module(f"gsnn_tutorial.study.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
