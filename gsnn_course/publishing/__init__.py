"""The kit's way to its readers: its address, badges, a book, a clean copy, and the cost of a notebook."""
