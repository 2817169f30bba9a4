"""CAM: what an identity may do (SCF 9). Whose keys a policy is bound to, may do what it says and nothing else."""
