"""Carries serverless.yml out: what is wanted, what is there, the steps between them, and taking them."""
