"""The paired study: from a problem's size, over arms and seeds, to a verdict in words."""
