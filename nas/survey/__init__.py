"""Surveys: tables of trained wirings."""
