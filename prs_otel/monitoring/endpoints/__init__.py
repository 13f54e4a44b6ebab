"""The endpoints of `/api/monitoring/`, by the first word of their path."""
