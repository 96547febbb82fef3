"""Knowledge that a model may have besides its graph: pathways, their controls, and other ways to use them."""
