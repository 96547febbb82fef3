"""Worked examples on real data: the tables of chapter 8, the studies behind it, and a network of everyday size."""
