"""What would go wrong with a deployment, told before anything is deployed: a line a check, each fault with its mend."""
