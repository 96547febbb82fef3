"""How fast, against the reference's formulation: a clock, a peer, and what is measured."""
