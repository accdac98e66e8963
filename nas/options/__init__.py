"""Options of campaigns and surveys: fields, files, and which of them act."""
