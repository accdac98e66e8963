"""From a candidate to a value: trainings, early stopping, references, finals."""
