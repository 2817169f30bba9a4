"""Whole buckets: what a bucket lacks under its rules (plan), bringing it there (apply), and taking away what no source
wants any more (prune)."""
