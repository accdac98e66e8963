"""Found networks at work: predictions for raw rows and arrays, and what would be done to a file."""
