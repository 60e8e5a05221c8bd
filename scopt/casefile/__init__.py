"""The case file: its schema, reading, validation, templates and reference page."""
