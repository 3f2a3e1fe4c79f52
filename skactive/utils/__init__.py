"""Helpers shared by all layers; nothing in here is public."""
