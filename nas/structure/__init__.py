"""Experiments that learn a network's structure for a task: `wirenas prune` and `wirenas rewire`."""
