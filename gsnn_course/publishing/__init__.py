"""How the kit reaches its readers: its address, badges, a book, a clean copy, and what a notebook costs."""
