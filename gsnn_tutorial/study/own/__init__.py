"""Your own network: a table, an edge list and gene sets become what a GSNN, a study and the figures take."""
