"""What a learned structure is worth: re-initialised, pruned further, and looked at while it emerges."""
