"""What a model may be told besides its graph: pathways, their controls, and other ways to use them."""
