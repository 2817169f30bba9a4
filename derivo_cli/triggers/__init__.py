"""The COS triggers that rule sets need, chosen and written into serverless.yml."""
