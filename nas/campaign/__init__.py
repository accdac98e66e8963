"""Campaigns: a search from the first trial to a tested network."""
