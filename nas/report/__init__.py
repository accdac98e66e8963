"""Reports: what a campaign found, as one JSON object, a card, a table and a plot."""
