"""What a project calls by itself: figures of its own, decorators and the middleware."""
