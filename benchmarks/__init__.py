"""Speed against the reference's formulation: a clock, a peer, and five groups of measurements."""
