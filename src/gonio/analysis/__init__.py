"""Analysis: pure functions from keypoint tracks to measures, a sub-package each."""
