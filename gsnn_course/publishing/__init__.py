"""The ways by which the kit reaches its readers: address, badges, a book, a clean copy, and the cost of notebooks."""
