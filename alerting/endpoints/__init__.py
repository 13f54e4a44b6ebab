"""The endpoints of `/api/alerting/`, by the first word of their path."""
