"""Whether a wiring is better than its nulls: wirings that share with it what a null model keeps."""
