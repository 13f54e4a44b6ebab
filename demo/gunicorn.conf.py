"""How gunicorn serves the demo; what depends on the run comes on its command line."""

from __future__ import annotations

wsgi_app = "demo_site.wsgi"
workers = 4
# A browser opens connections ahead of its requests: each would hold a sync worker,
# and holds a thread for seconds. The dashboard asks again before they are closed.
worker_class = "gthread"
threads = 16
keepalive = 15
accesslog = None
# gunicorn 25 and later would open a control socket in the user's home directory;
# older ones ignore the name.
control_socket_disable = True
