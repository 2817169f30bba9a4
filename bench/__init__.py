"""Every figure that this project states: `python -m bench` measures them and writes docs/benchmarks.md."""
