"""What a metric of ours is called in Prometheus, and how its figures are asked for there."""
